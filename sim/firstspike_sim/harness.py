"""A Verilog module around the core that reads stimuli from files and writes what came out.

The simulator then runs a whole batch without Python: cocotb starts it and waits for the end.
"""

from __future__ import annotations

import numpy as np

from firstspike.memimage import Write
from firstspike.spec import CoreSpec, record_fields
from firstspike_hw.layouts import potential_layout, record_layout, request_layout, spike_layout

__all__ = ["POTENTIAL_COLUMNS", "SPIKE_COLUMNS", "TOPLEVEL", "harness", "program_bytes"]

TOPLEVEL = "harness"
#: Columns of the files of spikes and of potentials, 32-bit words.
SPIKE_COLUMNS = ("stimulus", "layer", "index", "time")
POTENTIAL_COLUMNS = ("stimulus", "index", "potential")


def program_bytes(writes: list[Write]) -> bytes:
    """Return the writes as the harness reads them: space, address, data; 9 bytes, big-endian."""
    rows = np.array([(w.space, w.address, w.data) for w in writes], np.int64)
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


def harness(core: CoreSpec) -> str:
    """Return the module's text; it expects a module ``core``.

    Plusargs: ``program``, ``pixels``, ``records``, ``spikes``, ``potentials`` (files), ``count``
    (stimuli), ``budget`` (cycles that a stimulus may take), ``pause`` (of 256 cycles, how many
    the result waits for, and how many pixels do not come). ``done`` rises when all results are
    out, or the budget is used up.
    """
    request = request_layout(core)
    record, spike, potential = (
        layout(core) for layout in (record_layout, spike_layout, potential_layout)
    )
    pixel_bits = 8 * core.pixels
    packed = ", ".join(
        {
            "write": "1'b1",
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
    spike_row = _rows(
        "spikes",
        ["answered"] + [_field(spike, "spikes_payload", n) for n in ("layer", "index", "time")],
    )
    potential_row = _rows(
        "potentials",
        ["answered"] + [_field(potential, "potentials_payload", n) for n in ("index", "potential")],
    )
    return f"""\
module {TOPLEVEL}(
  input rst /* verilator public_flat_rw */,
  output reg done /* verilator public_flat_rd */
);
  reg clk;
  initial begin clk = 0; forever #5 clk = !clk; end
  integer program_file, pixels_file, records, spikes, potentials, got;
  integer count, budget, pause;
  reg [8191:0] path;
  reg [71:0] command;
  reg command_valid, loading, word_valid, started;
  reg [{pixel_bits - 1}:0] word;
  reg [31:0] answered, clocks, since;
  reg [31:0] noise;
  reg result_ready;

  wire requests_ready, pixels_ready, results_valid, spikes_valid, potentials_valid;
  wire [{record.size - 1}:0] results_payload;
  wire [{spike.size - 1}:0] spikes_payload;
  wire [{potential.size - 1}:0] potentials_payload;
  core core(
    .clk(clk), .rst(rst),
    .requests__payload({{{packed}}}),
    .requests__valid(command_valid & loading), .requests__ready(requests_ready),
    .replies__payload(), .replies__valid(), .replies__ready(1'b1),
    .pixels__payload(word), .pixels__valid(word_valid), .pixels__ready(pixels_ready),
    .events__payload('0), .events__valid(1'b0), .events__ready(),
    .results__payload(results_payload), .results__valid(results_valid),
    .results__ready(result_ready),
    .spikes__payload(spikes_payload), .spikes__valid(spikes_valid),
    .potentials__payload(potentials_payload), .potentials__valid(potentials_valid)
  );

  initial begin
    got = $value$plusargs("program=%s", path); program_file = $fopen(path, "rb");
    got = $value$plusargs("pixels=%s", path); pixels_file = $fopen(path, "rb");
    got = $value$plusargs("records=%s", path); records = $fopen(path, "wb");
    got = $value$plusargs("spikes=%s", path); spikes = $fopen(path, "wb");
    got = $value$plusargs("potentials=%s", path); potentials = $fopen(path, "wb");
    got = $value$plusargs("count=%d", count);
    got = $value$plusargs("budget=%d", budget);
    got = $value$plusargs("pause=%d", pause);
    done = 0; answered = 0; clocks = 0; since = 0; noise = 1; result_ready = 0;
    started = 0; word_valid = 0; word = 0; loading = 1;
    got = $fread(command, program_file); command_valid = got == 9;
  end

  always @(posedge clk) if (!rst && !done) begin
    noise <= {{noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]}};
    result_ready <= noise[7:0] >= pause[7:0];
    if (loading) begin
      if (requests_ready) begin
        got = $fread(command, program_file);
        if (got != 9) begin
          loading <= 0;
          command_valid <= 0;
        end
      end
    end else if (pixels_ready | !word_valid) begin
      word_valid <= 0;
      if (noise[15:8] >= pause[7:0]) begin
        got = $fread(word, pixels_file);
        word_valid <= got == {core.pixels};
        if (got == {core.pixels}) started <= 1;
      end
    end
    if (started) clocks <= clocks + 1;
    if (!loading) since <= since + 1;
    if (spikes_valid) {spike_row}
    if (potentials_valid) {potential_row}
    if (results_valid & result_ready) begin
      {record_row}
      answered <= answered + 1;
      since <= 0;
    end
    if (since > budget || (results_valid && result_ready && answered == count - 1)) begin
      $fclose(records); $fclose(spikes); $fclose(potentials);
      done <= 1;
    end
  end
endmodule
"""
