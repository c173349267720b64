"""A Verilog module around the core that reads stimuli from files and writes what came out.

The simulator then runs a whole batch without Python: cocotb waits for the end.

Between two moments of simulated time, the simulator looks after callbacks and evaluates all that
depends on the ports of the top module. So the harness resets the core itself, and many edges of
the clock are at one moment, each following the one before: the core then takes nearly all of the
time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstspike.memimage import Write
from firstspike.spec import CoreSpec, bits_for, record_fields
from firstspike_hw.layouts import (
    input_event_layout,
    potential_layout,
    record_layout,
    request_layout,
    spike_layout,
)
from firstspike_hw.learner.core import label_layout

__all__ = ["POTENTIAL_COLUMNS", "SPIKE_COLUMNS", "TOPLEVEL", "harness", "program_bytes"]

TOPLEVEL = "harness"
#: Columns of the files of spikes and of potentials, 32-bit words.
SPIKE_COLUMNS = ("stimulus", "layer", "index", "time")
POTENTIAL_COLUMNS = ("stimulus", "index", "potential")

#: Edges of the clock at a moment. Verilator takes a loop for endless after `build_model`'s limit.
_EDGES = 256

#: For a run whose waveform is wanted.
_SLOW_CLOCK = """\
  initial begin clk = 0; forever #5 clk = !clk; end
"""
_FAST_CLOCK = f"""\
  reg moment;
  reg [15:0] edges;
  initial begin clk = 0; edges = 0; moment = 0; forever #10 moment = !moment; end
  always @(clk, moment)
    if (edges == {_EDGES}) edges <= 0;
    else begin
      edges <= edges + 1;
      clk <= !clk;
    end
"""


def program_bytes(writes: list[Write]) -> bytes:
    """Return the writes as the harness reads them: space, address, data; 9 bytes, big-endian."""
    rows = np.array([(w.space, w.address, w.data) for w in writes], np.int64).reshape(-1, 3)
    packed = np.zeros((len(rows), 9), np.uint8)
    packed[:, 0] = rows[:, 0]
    packed[:, 1:5] = rows[:, 1].astype(">u4").view(np.uint8).reshape(-1, 4)
    packed[:, 5:9] = rows[:, 2].astype(">u4").view(np.uint8).reshape(-1, 4)
    return packed.tobytes()


def _field(layout, bus: str, name: str) -> str:
    """Return a field of a packed port as an expression of 32 bits, sign extended if signed."""
    field = layout[name]
    low, width = field.offset, field.width
    if width == 0:
        return "32'd0"
    chosen = f"{bus}[{low + width - 1}:{low}]"
    shape = field.shape
    if getattr(shape, "signed", False):
        return f"{{{{{32 - width}{{{bus}[{low + width - 1}]}}}}, {chosen}}}"
    return f"{{{32 - width}'d0, {chosen}}}"


def _rows(file: str, values: list[str]) -> str:
    form = "%u" * len(values)
    return f'$fwrite({file}, "{form}", {", ".join(values)});'


_NO_EVENTS = """\
    .events__payload('0), .events__valid(1'b0), .events__ready(),
"""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What differs between the two kinds of core: text of the harness."""

    wires: str
    ports: str
    every_cycle: str
    every_result: str
    events: str = _NO_EVENTS


def _inference_parts(core: CoreSpec) -> _Parts:
    spike, potential = spike_layout(core), potential_layout(core)
    spike_row = _rows(
        "spikes",
        ["answered"] + [_field(spike, "spikes_payload", n) for n in ("layer", "index", "time")],
    )
    potential_row = _rows(
        "potentials",
        ["answered"] + [_field(potential, "potentials_payload", n) for n in ("index", "potential")],
    )
    presorted = _presorted(core) if core.multispike else ("", "", _NO_EVENTS)
    return _Parts(
        wires=f"""\
{presorted[0]}\
  wire spikes_valid, potentials_valid;
  wire [{spike.size - 1}:0] spikes_payload;
  wire [{potential.size - 1}:0] potentials_payload;
""",
        ports="""\
    .spikes__payload(spikes_payload), .spikes__valid(spikes_valid),
    .potentials__payload(potentials_payload), .potentials__valid(potentials_valid)
""",
        every_cycle=f"""\
    if (spikes_valid) {spike_row}
    if (potentials_valid) {potential_row}
{presorted[1]}\
""",
        every_result="",
        events=presorted[2],
    )


def _presorted(core: CoreSpec) -> tuple[str, str, str]:
    """Return wires, what is done in every cycle, and ports: events from a file, 4 bytes each."""
    wires = """\
  integer events_file;
  reg [31:0] event_word, next_event;
  reg event_valid;
  wire events_ready;
  initial begin
    got = $value$plusargs("events=%s", path); events_file = $fopen(path, "rb");
    event_valid = 0;
  end
"""
    every_cycle = """\
    if (!loading && (events_ready | !event_valid)) begin
      event_valid <= 0;
      if (noise[23:16] >= pause[7:0]) begin
        got = $fread(next_event, events_file);
        event_word <= next_event;
        event_valid <= got == 4;
        if (got == 4) started <= 1;
      end
    end
"""
    top = input_event_layout(core).size - 1
    ports = f"""\
    .events__payload(event_word[{top}:0]), .events__valid(event_valid),
    .events__ready(events_ready),
"""
    return wires, every_cycle, ports


def _learning_parts(core: CoreSpec) -> _Parts:
    """Return the parts of a learning core: labels, and a copy of all potentials, from the taps."""
    row, potential = bits_for(core.state_rows), core.potential_bits
    wires = f"""\
  integer labels_file, neurons, k;
  reg [7:0] label, next_label;
  reg label_valid;
  wire labels_ready;
  wire [{core.time_bits - 1}:0] tap_step;
  reg [{potential - 1}:0] kept [0:{core.max_neurons - 1}];
  initial begin
    got = $value$plusargs("labels=%s", path); labels_file = $fopen(path, "rb");
    got = $value$plusargs("neurons=%d", neurons);
    got = $fread(label, labels_file); label_valid = got == 1;
  end
  always @(posedge clk) if (!rst && labels_ready && label_valid) begin
    got = $fread(next_label, labels_file);
    label <= next_label;
    label_valid <= got == 1;
  end
"""
    ports = [
        f"    .labels__payload(label[{label_layout().size - 1}:0]), .labels__valid(label_valid)",
        "    .labels__ready(labels_ready), .tap_step(tap_step)",
    ]
    cycle = ""
    for bank in range(core.banks):
        wires += (
            f"  wire valid_{bank}, fires_{bank}; wire [{row - 1}:0] row_{bank}; "
            f"wire [{potential - 1}:0] potential_{bank};\n"
        )
        names = ("valid", "fires", "row", "potential")
        ports += ["    " + ", ".join(f".taps__{bank}__{n}({n}_{bank})" for n in names)]
        place = f"{{{32 - row}'d0, row_{bank}}} * {core.banks} + {bank}"
        step = f"{{{32 - core.time_bits}'d0, tap_step}}"
        spike_row = _rows("spikes", ["answered", "32'd0", place, step])
        cycle += f"""\
    if (valid_{bank}) begin
      kept[{place}] <= potential_{bank};
      if (fires_{bank}) {spike_row}
    end
"""
    sign = f"{{{{{32 - potential}{{kept[k][{potential - 1}]}}}}, kept[k]}}"
    return _Parts(
        wires=wires,
        ports=",\n".join(ports) + "\n",
        every_cycle=cycle,
        every_result=f"""\
      for (k = 0; k < neurons; k = k + 1) {_rows("potentials", ["answered", "k", sign])}
""",
    )


def harness(core: CoreSpec, *, waves: bool = False) -> str:
    """Return the module's text; it expects a module ``core``.

    With ``waves`` each edge of the clock has a time of its own.

    Plusargs: ``program``, ``pixels``, ``events`` (multi-spike cores: pre-sorted events), ``reads``,
    ``records``, ``spikes``, ``potentials``, ``replies`` (files), ``count`` (stimuli), ``budget``
    (cycles that a stimulus may take), ``pause`` (of 256 cycles, how many the result waits for, and
    how many pixels do not come); for a learning core ``labels`` (a file: a byte a stimulus) and
    ``neurons`` (whose potentials are written). When all results are out, the requests of ``reads``
    are made.
    ``done`` rises at the end, or when the budget is used up.
    """
    parts = _learning_parts(core) if core.learning else _inference_parts(core)
    request, record = request_layout(core), record_layout(core)
    pixel_bits = 8 * core.pixels
    packed = ", ".join(
        {
            "write": "loading",
            "space": f"command[{63 + core.space_bits}:64]",
            "address": "command[55:32]",
            "data": "command[31:0]",
        }[name]
        for name, _ in reversed(list(request))
    )
    record_row = _rows(
        "records",
        [_field(record, "results_payload", name) for name in record_fields(core)] + ["clocks"],
    )
    return f"""\
module {TOPLEVEL}(
  output reg done /* verilator public_flat_rd */
);
  reg clk;
{_SLOW_CLOCK if waves else _FAST_CLOCK}\
  reg [1:0] age;
  wire rst = !age[1];
  initial age = 0;
  always @(posedge clk) if (rst) age <= age + 1;
  integer program_file, pixels_file, reads_file, records, spikes, potentials, replies, got;
  integer count, budget, pause;
  reg [8191:0] path;
  // What is read at an edge of the clock is given to the core with it, not before it.
  reg [71:0] command, next_command;
  reg command_valid, loading, reading, word_valid, started;
  reg [{pixel_bits - 1}:0] word, next_word;
  reg [31:0] answered, clocks, since, unanswered;
  reg [31:0] noise;
  reg result_ready;

  wire requests_ready, pixels_ready, results_valid, replies_valid;
  wire [31:0] replies_payload;
  wire [{record.size - 1}:0] results_payload;
{parts.wires}  core core(
    .clk(clk), .rst(rst),
    .requests__payload({{{packed}}}),
    .requests__valid(command_valid & (loading | reading)), .requests__ready(requests_ready),
    .replies__payload(replies_payload), .replies__valid(replies_valid), .replies__ready(1'b1),
    .pixels__payload(word), .pixels__valid(word_valid), .pixels__ready(pixels_ready),
{parts.events}    .results__payload(results_payload), .results__valid(results_valid),
    .results__ready(result_ready),
{parts.ports}  );

  initial begin
    got = $value$plusargs("program=%s", path); program_file = $fopen(path, "rb");
    got = $value$plusargs("pixels=%s", path); pixels_file = $fopen(path, "rb");
    got = $value$plusargs("reads=%s", path); reads_file = $fopen(path, "rb");
    got = $value$plusargs("replies=%s", path); replies = $fopen(path, "wb");
    got = $value$plusargs("records=%s", path); records = $fopen(path, "wb");
    got = $value$plusargs("spikes=%s", path); spikes = $fopen(path, "wb");
    got = $value$plusargs("potentials=%s", path); potentials = $fopen(path, "wb");
    got = $value$plusargs("count=%d", count);
    got = $value$plusargs("budget=%d", budget);
    got = $value$plusargs("pause=%d", pause);
    done = 0; answered = 0; clocks = 0; since = 0; noise = 1; result_ready = 0;
    started = 0; word_valid = 0; word = 0; loading = 1; reading = 0; unanswered = 0;
    got = $fread(command, program_file); command_valid = got == 9;
  end

  always @(posedge clk) if (!rst && !done) begin
    noise <= {{noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]}};
    result_ready <= noise[7:0] >= pause[7:0];
    if (loading) begin
      if (requests_ready) begin
        got = $fread(next_command, program_file);
        command <= next_command;
        if (got != 9) begin
          loading <= 0;
          command_valid <= 0;
        end
      end
    end else if (reading) begin
      if (requests_ready & command_valid) begin
        got = $fread(next_command, reads_file);
        command <= next_command;
        command_valid <= got == 9;
      end
    end else if (pixels_ready | !word_valid) begin
      word_valid <= 0;
      if (noise[15:8] >= pause[7:0]) begin
        got = $fread(next_word, pixels_file);
        word <= next_word;
        word_valid <= got == {core.pixels};
        if (got == {core.pixels}) started <= 1;
      end
    end
    if (started) clocks <= clocks + 1;
    if (!loading) since <= since + 1;
{parts.every_cycle}    if (results_valid & result_ready) begin
      {record_row}
{parts.every_result}      answered <= answered + 1;
      since <= 0;
      if (answered == count - 1) begin
        got = $fread(next_command, reads_file);
        command <= next_command;
        command_valid <= got == 9;
        reading <= 1;
      end
    end
    unanswered <= unanswered + {{31'd0, reading & command_valid & requests_ready}}
                             - {{31'd0, replies_valid}};
    if (replies_valid) begin
      {_rows("replies", ["replies_payload"])}
      since <= 0;
    end
    if (since > budget || (reading && !command_valid && unanswered == 0)) begin
      $fclose(records); $fclose(spikes); $fclose(potentials); $fclose(replies);
      done <= 1;
    end
  end
endmodule
"""
