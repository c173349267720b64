// Block RAM of ECP5: 18 432 bits behind two ports, each 1, 2, 4, 9, 18 or 36 bits wide.
//
// From Lattice's TN-02204 (ECP5 and ECP5-5G Memory User Guide), in the ways that Yosys uses it: no
// output registers, all chip selects low, both ports' resets of one kind. Others are refused.
//
// Contents and outputs start as the bitstream sets them: INITVAL_xx, and zero. What TN-02204 leaves
// open is random here: a bit that one port reads at the edge at which the other one writes it.
module DP16KD(
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input CLKA, CEA, OCEA, WEA, RSTA, CSA2, CSA1, CSA0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input CLKB, CEB, OCEB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
  // One piece of code for all instances.
  /* verilator no_inline_module */
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter GSR = "ENABLED";
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0;
  parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0;
  parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0;
  parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0;
  parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0;
  parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0;
  parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0;
  parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0;
  parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0;
  parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0;
  parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0;
  parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0;
  parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0;
  parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0;
  parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0;
  parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

  generate
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG") $error("DP16KD: output registers");
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") $error("DP16KD: chip selects");
    if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB") $error("DP16KD: an inverted clock");
  endgenerate

  // Bits stand in rows of 36, as at the widest port; narrower words are slices, low address first.
  // Words of 1, 2 and 4 bits leave out each ninth bit.
  reg [35:0] rows [0:511];
  wire [20479:0] initial_contents = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
    INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32,
    INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B,
    INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
    INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
    INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
    INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F,
    INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
    INITVAL_00
  };
  integer i;
  initial
    for (i = 0; i < 512; i = i + 1)
      // 18 bits of each 20.
      rows[i] = {initial_contents[40 * i + 20 +: 18], initial_contents[40 * i +: 18]};

  wire [13:0] address_a = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1,
     ADA0};
  wire [13:0] address_b = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
     ADB0};
  wire [17:0] in_a = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
     DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] in_b = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
     DIB4, DIB3, DIB2, DIB1, DIB0};
  wire on_a = CEA & ~(CSA2 | CSA1 | CSA0), on_b = CEB & ~(CSB2 | CSB1 | CSB0);
  // A reset at an edge of the clock also keeps that edge's write away.
  wire sync_a = RESETMODE == "SYNC" & RSTA, sync_b = RESETMODE == "SYNC" & RSTB;
  wire writes_a = on_a & WEA & ~sync_a, writes_b = on_b & WEB & ~sync_b;

  // Where a word starts in its row.
  function [5:0] first(input [4:0] low, input integer width);
    first = (width <= 18 && low[4] ? 6'd18 : 6'd0) + (width <= 9 && low[3] ? 6'd9 : 6'd0)
          + (width <= 4 && low[2] ? 6'd4 : 6'd0) + (width <= 2 && low[1] ? 6'd2 : 6'd0)
          + (width <= 1 && low[0] ? 6'd1 : 6'd0);
  endfunction

  // Ones at the bits of a word; with `low`, at those of its bytes that low addresses enable.
  function [35:0] ones(input [3:0] low, input integer width, input bytes);
    if (width == 36) ones = {{9{low[3] | ~bytes}}, {9{low[2] | ~bytes}},
                            {9{low[1] | ~bytes}}, {9{low[0] | ~bytes}}};
    else if (width == 18) ones = {18'd0, {9{low[1] | ~bytes}}, {9{low[0] | ~bytes}}};
    else ones = (36'd1 << width) - 36'd1;
  endfunction

  wire [5:0] first_a = first(address_a[4:0], DATA_WIDTH_A);
  wire [5:0] first_b = first(address_b[4:0], DATA_WIDTH_B);
  wire [8:0] row_a = address_a[13:5], row_b = address_b[13:5];
  // The widest word takes the data of both ports.
  wire [35:0] data_a = {DATA_WIDTH_A == 36 ? in_b : 18'd0, in_a} << first_a;
  wire [35:0] data_b = {18'd0, in_b} << first_b;
  wire [35:0] mask_a = writes_a ? ones(address_a[3:0], DATA_WIDTH_A, 1'b1) << first_a : 36'd0;
  wire [35:0] mask_b = writes_b ? ones(address_b[3:0], DATA_WIDTH_B, 1'b1) << first_b : 36'd0;
  wire [35:0] met = row_a == row_b ? 36'hx : 36'd0;
  wire [35:0] old_a = rows[row_a] ^ (met & mask_b), old_b = rows[row_b] ^ (met & mask_a);
  wire [35:0] new_a = (old_a & ~mask_a) | (data_a & mask_a);
  wire [35:0] new_b = (old_b & ~mask_b) | (data_b & mask_b);
  wire keep_a = writes_a & WRITEMODE_A == "NORMAL", keep_b = writes_b & WRITEMODE_B == "NORMAL";
  wire [35:0] read_a = ((WRITEMODE_A == "WRITETHROUGH" ? new_a : old_a) >> first_a)
                     & ones(4'd0, DATA_WIDTH_A, 1'b0);
  wire [35:0] read_b = ((WRITEMODE_B == "WRITETHROUGH" ? new_b : old_b) >> first_b)
                     & ones(4'd0, DATA_WIDTH_B, 1'b0);

  integer a, b;
  always @(posedge CLKA)
    for (a = 0; a < 36; a = a + 1) if (mask_a[a]) rows[row_a][a] <= data_a[a];
  always @(posedge CLKB)
    for (b = 0; b < 36; b = b + 1) if (mask_b[b]) rows[row_b][b] <= data_b[b];

  reg [35:0] out_a, out_b;
  wire async_a = RESETMODE == "ASYNC" & RSTA, async_b = RESETMODE == "ASYNC" & RSTB;
  initial begin
    out_a = 36'd0;
    out_b = 36'd0;
  end
  always @(posedge CLKA, posedge async_a)
    if (async_a) out_a <= 36'd0;
    else if (sync_a) out_a <= 36'd0;
    else if (on_a & ~keep_a) out_a <= read_a;
  always @(posedge CLKB, posedge async_b)
    if (async_b) out_b <= 36'd0;
    else if (sync_b) out_b <= 36'd0;
    else if (on_b & ~keep_b) out_b <= read_b;

  // The widest word goes out at both ports.
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
     DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
     DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
endmodule
