"""Pictures of boards: how a core's two wires reach the computer."""

from __future__ import annotations

from html import escape

from firstspike.boards import Board

__all__ = ["wiring_picture"]

_WIDTH, _HEIGHT = 880, 300
_STYLE = (
    "text{font:13px Helvetica,Arial,sans-serif;fill:#1b2733}"
    ".title{font-size:16px;font-weight:bold}.small{font-size:12px;fill:#44525f}"
    ".card{fill:#f7f9fb;stroke:#aab4bf}.board{fill:#e3f1e6;stroke:#3b7d4f;stroke-width:2}"
    ".part{fill:#ffffff;stroke:#1b2733;stroke-width:1.5}"
    ".in{stroke:#b3470b}.out{stroke:#1d5fb4}.ground{stroke:#44525f}"
    ".wire{fill:none;stroke-width:2}.in .head{fill:#b3470b}.out .head{fill:#1d5fb4}"
    ".pin{fill:#ffffff;stroke:#1b2733;stroke-width:1.5}"
)
#: Left and right edges of the parts; a board without a bridge begins right of the bridge.
_COMPUTER = (20, 130)
_BRIDGE = (230, 380)
_FPGA = (680, 840)
_TOP, _BOTTOM = 85, 235


def _box(kind: str, left: int, right: int, top: int = _TOP, bottom: int = _BOTTOM) -> str:
    return (
        f'<rect class="{kind}" x="{left}" y="{top}" width="{right - left}" '
        f'height="{bottom - top}" rx="8"/>'
    )


def _text(x: int, y: int, text: str, *, kind: str = "", anchor: str = "start") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text{mark} x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _wire(kind: str, left: int, right: int, y: int) -> list[str]:
    """Return a wire with its head at the right (``in``), at the left (``out``), or without."""
    lines = [f'<g class="{kind}"><path class="wire" d="M{left} {y}H{right}"/>']
    if kind == "in":
        lines.append(f'<path class="head" d="M{right} {y}l-10 -5v10z"/>')
    elif kind == "out":
        lines.append(f'<path class="head" d="M{left} {y}l10 -5v10z"/>')
    return [*lines, "</g>"]


def wiring_picture(board: Board) -> str:
    """Return a board's wires as SVG: the computer, the serial bridge, and the FPGA's pins."""
    uart = board.uart
    outside = bool(uart.rx_at)
    edge = 430 if outside else 200
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>Wires of {escape(board.title)}</title>",
        f"<style>{_STYLE}</style>",
        _box("card", 1, _WIDTH - 1, 1, _HEIGHT - 1),
        _text(20, 32, board.title, kind="title"),
        _box("board", edge, _WIDTH - 20, 50, _HEIGHT - 20),
        _box("part", *_COMPUTER),
        _text(sum(_COMPUTER) // 2, 165, "computer", anchor="middle"),
        _box("part", *_BRIDGE),
        _text(sum(_BRIDGE) // 2, 72, uart.bridge, kind="small", anchor="middle"),
        *_wire("ground", _COMPUTER[1], _BRIDGE[0], 160),
        _text((_COMPUTER[1] + _BRIDGE[0]) // 2, 150, "USB", kind="small", anchor="middle"),
        _box("part", *_FPGA),
        _text(sum(_FPGA) // 2, 72, board.chip, kind="small", anchor="middle"),
    ]
    wires = [
        ("in", 115, "TX", f"rx {uart.rx}", uart.rx_at),
        ("out", 160, "RX", f"tx {uart.tx}", uart.tx_at),
    ]
    if outside:
        wires.append(("ground", 205, "GND", "GND", uart.ground_at))
    for kind, y, at_bridge, at_fpga, place in wires:
        lines += _wire(kind, _BRIDGE[1], _FPGA[0], y)
        lines.append(_text(_BRIDGE[1] - 8, y + 5, at_bridge, anchor="end"))
        lines.append(_text(_FPGA[0] + 10, y + 5, at_fpga))
        if place:
            lines.append(f'<circle class="pin" cx="{edge}" cy="{y}" r="6"/>')
            lines.append(_text(edge + 14, y - 8, place, kind="small"))
    mega = 1_000_000
    foot = (
        f"{board.oscillator / mega:g} MHz oscillator, core at {board.megahertz} MHz, "
        f"UART {board.baud / mega:g} Mbaud"
    )
    lines.append(_text(_WIDTH - 40, _HEIGHT - 32, foot, kind="small", anchor="end"))
    return "\n".join([*lines, "</svg>"]) + "\n"
