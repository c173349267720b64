"""A Verilog module around a whole chip: the far end of its two wires, driven from a pipe.

Its transmitter and receiver have nothing in common with those of the chip. Simulation stands still
while the pipe is empty, so whoever writes there decides when time passes.
"""

from __future__ import annotations

import enum

__all__ = ["BIT_FRACTIONS", "TOPLEVEL", "Symbol", "disturbance", "far_end"]

TOPLEVEL = "board"
#: A bit time is given in these parts of a clock cycle.
BIT_FRACTIONS = 256
#: Edges of the clock at a moment; `firstspike_sim.verilator.build_model` allows more.
_EDGES = 256


class Symbol(enum.IntEnum):
    """What the far end can be told to do: the upper 8 of 32 bits; the others are its value."""

    #: Sends a byte.
    BYTE = 0
    #: Sends a byte with a low stop bit, then one high bit.
    BAD_STOP = 1
    #: Keeps the wire low for so many bits, at least 1; then high for one.
    BREAK = 2
    #: Keeps the wire high for so many bits, at least 1.
    IDLE = 3
    #: Waits for so many clock cycles, but not on if something was heard since the last report and
    #: the chip's wire is quiet; then writes a report.
    REPORT = 4
    #: Turns the chip's wire over, see `disturbance`.
    DISTURB = 5


def disturbance(skip: int, first: int, bits: int) -> int:
    """Return the value of `Symbol.DISTURB` that turns some bits of the chip's wire over.

    Parameters
    ----------
    skip : int
        Bytes to be heard before, 0..1023.
    first : int
        The first bit that is turned, 0..15; the start bit of the byte is bit 0.
    bits : int
        How many are turned, 1..1023.
    """
    return first << 20 | skip << 10 | bits


def far_end() -> str:
    """Return the module's text; it expects a module ``system``.

    Plusargs: ``symbols`` and ``heard`` (pipes), ``bit`` (length of a bit, in `BIT_FRACTIONS` of a
    cycle). Without a pipe the module only makes reset and clock, of 10 ns, and whoever drives
    ``other_rx`` and listens to ``tx`` is the far end.

    What comes from the chip is written in words of 32 bits, least byte first: bytes, with bit 8 set
    if the stop bit was low, and reports, with bit 31 set and the number of clock cycles so far in
    the others. ``done`` rises when the pipe of symbols is closed.
    """
    return f"""\
module {TOPLEVEL}(
  output reg done /* verilator public_flat_rd */
);
  // Between two moments the simulator looks after its callbacks, so there are many edges at one; if
  // somebody else drives the wires, there is one.
  reg clk, moment, there;
  reg [15:0] edges;
  initial begin clk = 0; edges = 0; moment = 0; forever #5 moment = !moment; end
  always @(clk, moment)
    if (edges == (there ? {_EDGES} : 1)) edges <= 0;
    else begin
      edges <= edges + 1;
      clk <= !clk;
    end
  reg [1:0] age;
  wire rst = !age[1];
  initial age = 0;
  always @(posedge clk) if (rst) age <= age + 1;

  integer symbols, heard, got;
  reg [8191:0] path;
  reg [31:0] period;
  reg [30:0] now;
  reg rx;
  reg other_rx /* verilator public_flat_rw */;
  wire tx /* verilator public_flat_rd */;
  // Whatever else the chip may have is open.
  /* verilator lint_off PINMISSING */
  system system(.clk(clk), .rst(rst), .rx(rx & other_rx), .tx(tx));
  /* verilator lint_on PINMISSING */

  // The transmitter: the lowest of `levels` is on the wire, `again` bits more than one.
  reg [31:0] symbol, again, phase;
  reg [10:0] levels;
  reg [3:0] bits;
  reg waiting;
  reg [23:0] patience;
  // The receiver, and what is done to its wire when a byte begins.
  reg line, receiving, low, any, armed;
  reg [31:0] until_sample, quiet, clean, turned, next_clean, next_turned;
  reg [9:0] skip;
  reg [3:0] place;
  reg [7:0] octet;

  initial begin
    there = 0;
    if ($value$plusargs("symbols=%s", path)) begin
      there = 1; symbols = $fopen(path, "rb");
      got = $value$plusargs("heard=%s", path); heard = $fopen(path, "wb");
      got = $value$plusargs("bit=%d", period);
    end
    done = 0; now = 0; rx = 1; other_rx = 1;
    symbol = 0; again = 0; phase = 0; levels = 1; bits = 0; waiting = 0; patience = 0;
    line = 1; receiving = 0; low = 0; any = 0; armed = 0;
    until_sample = 0; quiet = 0; clean = 0; turned = 0; next_clean = 0; next_turned = 0;
    skip = 0; place = 0; octet = 0;
  end

  always @(posedge clk) if (there && !rst && !done) begin
    now = now + 1;

    line = tx;
    if (clean != 0) clean = clean > {BIT_FRACTIONS} ? clean - {BIT_FRACTIONS} : 0;
    else if (turned != 0) begin
      line = !tx;
      turned = turned > {BIT_FRACTIONS} ? turned - {BIT_FRACTIONS} : 0;
    end
    quiet = quiet + {BIT_FRACTIONS};
    if (receiving) begin
      quiet = 0;
      if (until_sample > {BIT_FRACTIONS}) until_sample = until_sample - {BIT_FRACTIONS};
      else begin
        until_sample = until_sample + period - {BIT_FRACTIONS};
        if (place == 0) receiving = !line;
        else if (place <= 8) octet = {{line, octet[7:1]}};
        else begin
          $fwrite(heard, "%u", {{23'd0, !line, octet}});
          receiving = 0;
          any = 1;
          low = !line;
        end
        place = place + 1;
      end
    end else if (line) low = 0;
    else if (!low) begin
      receiving = 1;
      place = 0;
      until_sample = period / 2;
      if (armed && skip != 0) skip = skip - 1;
      else if (armed) begin
        armed = 0;
        clean = next_clean;
        turned = next_turned;
      end
    end

    if (waiting) begin
      if (patience == 0 || (any && quiet > 4 * period)) begin
        $fwrite(heard, "%u", {{1'b1, now}});
        $fflush(heard);
        waiting = 0;
        any = 0;
      end else patience = patience - 1;
    end else if (bits != 0) begin
      phase = phase + {BIT_FRACTIONS};
      if (phase >= period) begin
        phase = phase - period;
        if (again != 0) again = again - 1;
        else begin
          levels = {{1'b1, levels[10:1]}};
          bits = bits - 1;
        end
      end
    end
    while (!waiting && bits == 0 && !done) begin
      got = $fread(symbol, symbols);
      if (got != 4) begin
        $fclose(heard);
        done = 1;
      end else case (symbol[31:24])
        {Symbol.BYTE}: begin levels = {{2'b11, symbol[7:0], 1'b0}}; bits = 10; again = 0; end
        {Symbol.BAD_STOP}: begin levels = {{2'b10, symbol[7:0], 1'b0}}; bits = 11; again = 0; end
        {Symbol.BREAK}: begin levels = ~11'd1; bits = 2; again = symbol[23:0] - 1; end
        {Symbol.IDLE}: begin levels = ~11'd0; bits = 1; again = symbol[23:0] - 1; end
        {Symbol.REPORT}: begin waiting = 1; patience = symbol[23:0]; end
        default: begin
          armed = 1;
          next_clean = {{28'd0, symbol[23:20]}} * period;
          skip = symbol[19:10];
          next_turned = {{22'd0, symbol[9:0]}} * period;
        end
      endcase
    end
    rx = levels[0];
  end
endmodule
"""
