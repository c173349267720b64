"""From words at addresses to commands that write or read many of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from firstspike.board import protocol
from firstspike.board.link import Answer, Order
from firstspike.board.protocol import LINK_SPACE, WIDE, Command, Link, Reason, Reply
from firstspike.errors import InputError
from firstspike.memimage import Write
from firstspike.spec import CoreSpec, Space

__all__ = ["Burst", "body_of", "bursts_of", "loaded_order", "space_byte", "write_orders"]

#: Bytes of words in a frame: few enough that several are under way at once, and that little is
#: sent again when one is damaged; many enough that heads and checks take little.
_BURST_BYTES = 256

_REFUSALS = {
    Reason.UNKNOWN: "the board does not know the command: build its bitstream anew",
    Reason.NOT_LOADED: "nothing is loaded on the board: it was restarted, or another program uses "
    "it; load again",
}


@dataclass(frozen=True, slots=True)
class Burst:
    """Words at addresses that follow each other; ``space`` is the byte of a command."""

    space: int
    address: int
    words: int

    @property
    def n_bytes(self) -> int:
        """Bytes that the words have."""
        return self.words * (4 if self.space & WIDE else 2)


def space_byte(core: CoreSpec, space: int) -> int:
    """Return the byte of a command for ``space``, with as wide words as its values need."""
    wide = space in (Space.REGISTERS, Space.LISTS) or (
        space in (Space.START, Space.STATE) and core.potential_bits > 16
    )
    return space | WIDE if wide else space


def bursts_of(core: CoreSpec, places: Iterable[tuple[int, int]]) -> list[Burst]:
    """Return bursts for ``places``, each a space and an address, in ascending order."""
    most = min(_BURST_BYTES, protocol.buffer_bytes(core) // 4)
    bursts: list[Burst] = []
    first = following = (-1, -1)
    count = limit = 0
    for place in places:
        if place == following and count < limit:
            count += 1
        else:
            if count:
                bursts.append(Burst(space_byte(core, first[0]), first[1], count))
            first, count = place, 1
            limit = most // (4 if space_byte(core, place[0]) & WIDE else 2)
        following = (place[0], place[1] + 1)
    if count:
        bursts.append(Burst(space_byte(core, first[0]), first[1], count))
    return bursts


def write_orders(core: CoreSpec, writes: Iterable[Write]) -> list[tuple[Order, int]]:
    """Return commands that write, and how many words each; of two to one place the last counts."""
    values = {(int(write.space), write.address): write.data for write in writes}
    places = sorted(values)
    orders = []
    done = 0
    for burst in bursts_of(core, places):
        words = [values[place] for place in places[done : done + burst.words]]
        done += burst.words
        body = protocol.encode_write(burst.space, burst.address, words)
        orders.append((Order(Command.WRITE, body), burst.words))
    return orders


def loaded_order(tag: int) -> Order:
    """Return the command that says what is loaded; 0: nothing."""
    return Order(Command.WRITE, protocol.encode_write(LINK_SPACE, Link.LOADED, [tag]))


def body_of(answer: Answer, kind: Reply) -> bytes:
    """Return what came with an answer, which must be of ``kind``.

    Raises
    ------
    InputError
        If it is another one; a refusal says why.
    """
    if answer.kind is kind:
        return answer.body
    if answer.kind is Reply.REFUSED and answer.body[:1] and answer.body[0] in set(Reason):
        reason = Reason(answer.body[0])
        raise InputError(_REFUSALS.get(reason, f"the board refused a command ({reason.name})"))
    raise InputError(
        f"the board answered with {answer.kind.name}, not {kind.name}: build its bitstream anew"
    )
