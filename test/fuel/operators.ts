/**
 * Every operator that works on values, by what it takes and gives, in the text format with its immediates. Each becomes an
 * exported function of its own.
 */
const OPERATORS: ReadonlyArray<readonly [takes: string, gives: string, operators: string]> = [
  ["", "", "nop"],
  ["i32", "", "drop; local.set $i"],
  ["i32 i32 i32", "i32", "select; select (result i32)"],
  ["", "i32", "local.get $i; global.get $g; i32.const 7; memory.size; table.size $t"],
  ["", "i64", "i64.const -7"],
  ["", "f32", "f32.const 0.5"],
  ["", "f64", "f64.const 0.25"],
  ["i32", "i32", "local.tee $i"],
  ["i32", "", "global.set $g"],
  ["i32", "i32", "i32.eqz; i32.clz; i32.ctz; i32.popcnt; i32.extend8_s; i32.extend16_s"],
  [
    "i32 i32",
    "i32",
    "i32.eq; i32.ne; i32.lt_s; i32.lt_u; i32.gt_s; i32.gt_u; i32.le_s; i32.le_u; i32.ge_s; i32.ge_u",
  ],
  [
    "i32 i32",
    "i32",
    "i32.add; i32.sub; i32.mul; i32.div_s; i32.div_u; i32.rem_s; i32.rem_u; i32.and; i32.or; i32.xor",
  ],
  ["i32 i32", "i32", "i32.shl; i32.shr_s; i32.shr_u; i32.rotl; i32.rotr"],
  ["i64", "i32", "i64.eqz; i32.wrap_i64"],
  ["i64", "i64", "i64.clz; i64.ctz; i64.popcnt; i64.extend8_s; i64.extend16_s; i64.extend32_s"],
  [
    "i64 i64",
    "i32",
    "i64.eq; i64.ne; i64.lt_s; i64.lt_u; i64.gt_s; i64.gt_u; i64.le_s; i64.le_u; i64.ge_s; i64.ge_u",
  ],
  [
    "i64 i64",
    "i64",
    "i64.add; i64.sub; i64.mul; i64.div_s; i64.div_u; i64.rem_s; i64.rem_u; i64.and; i64.or; i64.xor",
  ],
  ["i64 i64", "i64", "i64.shl; i64.shr_s; i64.shr_u; i64.rotl; i64.rotr"],
  ["f32 f32", "i32", "f32.eq; f32.ne; f32.lt; f32.gt; f32.le; f32.ge"],
  ["f64 f64", "i32", "f64.eq; f64.ne; f64.lt; f64.gt; f64.le; f64.ge"],
  ["f32", "f32", "f32.abs; f32.neg; f32.ceil; f32.floor; f32.trunc; f32.nearest; f32.sqrt"],
  ["f64", "f64", "f64.abs; f64.neg; f64.ceil; f64.floor; f64.trunc; f64.nearest; f64.sqrt"],
  ["f32 f32", "f32", "f32.add; f32.sub; f32.mul; f32.div; f32.min; f32.max; f32.copysign"],
  ["f64 f64", "f64", "f64.add; f64.sub; f64.mul; f64.div; f64.min; f64.max; f64.copysign"],
  [
    "f32",
    "i32",
    "i32.trunc_f32_s; i32.trunc_f32_u; i32.trunc_sat_f32_s; i32.trunc_sat_f32_u; i32.reinterpret_f32",
  ],
  ["f64", "i32", "i32.trunc_f64_s; i32.trunc_f64_u; i32.trunc_sat_f64_s; i32.trunc_sat_f64_u"],
  ["f32", "i64", "i64.trunc_f32_s; i64.trunc_f32_u; i64.trunc_sat_f32_s; i64.trunc_sat_f32_u"],
  [
    "f64",
    "i64",
    "i64.trunc_f64_s; i64.trunc_f64_u; i64.trunc_sat_f64_s; i64.trunc_sat_f64_u; i64.reinterpret_f64",
  ],
  ["i32", "i64", "i64.extend_i32_s; i64.extend_i32_u"],
  ["i32", "f32", "f32.convert_i32_s; f32.convert_i32_u; f32.reinterpret_i32"],
  ["i64", "f32", "f32.convert_i64_s; f32.convert_i64_u"],
  ["i32", "f64", "f64.convert_i32_s; f64.convert_i32_u"],
  ["i64", "f64", "f64.convert_i64_s; f64.convert_i64_u; f64.reinterpret_i64"],
  ["f64", "f32", "f32.demote_f64"],
  ["f32", "f64", "f64.promote_f32"],
  ["i32", "i32", "i32.load; i32.load8_s; i32.load8_u; i32.load16_s; i32.load16_u offset=4"],
  [
    "i32",
    "i64",
    "i64.load; i64.load8_s; i64.load8_u; i64.load16_s; i64.load16_u; i64.load32_s; i64.load32_u",
  ],
  ["i32", "f32", "f32.load"],
  ["i32", "f64", "f64.load"],
  ["i32 i32", "", "i32.store; i32.store8; i32.store16"],
  ["i32 i64", "", "i64.store; i64.store8; i64.store16; i64.store32"],
  ["i32 f32", "", "f32.store"],
  ["i32 f64", "", "f64.store"],
  ["i32", "i32", "memory.grow"],
  ["i32 i32 i32", "", "memory.copy; memory.fill; memory.init $d; table.copy $t $t; table.init $t $e"],
  ["", "", "data.drop $spare; elem.drop $spare"],
  ["", "funcref", "ref.null func; ref.func $f"],
  ["", "externref", "ref.null extern"],
  ["funcref", "i32", "ref.is_null"],
  ["i32", "funcref", "table.get $t"],
  ["i32 funcref", "", "table.set $t"],
  ["funcref i32", "i32", "table.grow $t"],
  ["i32 funcref i32", "", "table.fill $t"],
  ...vectors(),
];

function vectors(): typeof OPERATORS {
  const shapes = ["i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2"];
  const narrow = shapes.slice(0, 2);
  const whole = shapes.slice(0, 4);
  const floats = shapes.slice(4);
  const each = (of: readonly string[], names: string): string =>
    of.flatMap((shape) => names.split(" ").map((name) => `${shape}.${name}`)).join("; ");
  const lanes = (of: readonly string[], names: string): string =>
    each(of, names)
      .split("; ")
      .map((name) => `${name} 1`)
      .join("; ");
  const widths = ["8", "16", "32", "64"];
  const memory = (names: readonly string[]): string => names.map((name) => `v128.${name}`).join("; ");
  return [
    ["", "v128", "v128.const i64x2 1 -2"],
    ["v128 v128", "v128", "i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31; i8x16.swizzle"],
    [
      "i32",
      "v128",
      memory(["load", "load8x8_s", "load8x8_u", "load16x4_s", "load16x4_u", "load32x2_s", "load32x2_u"]),
    ],
    ["i32", "v128", memory([...widths.map((bits) => `load${bits}_splat`), "load32_zero", "load64_zero"])],
    ["i32 v128", "", memory(["store", ...widths.map((bits) => `store${bits}_lane 1`)])],
    ["i32 v128", "v128", memory(widths.map((bits) => `load${bits}_lane 1`))],
    ["i32", "v128", each(shapes.slice(0, 3), "splat")],
    ["i64", "v128", "i64x2.splat"],
    ["f32", "v128", "f32x4.splat"],
    ["f64", "v128", "f64x2.splat"],
    ["v128", "i32", lanes(narrow, "extract_lane_s extract_lane_u")],
    ["v128", "i32", "i32x4.extract_lane 1"],
    ["v128", "i64", "i64x2.extract_lane 1"],
    ["v128", "f32", "f32x4.extract_lane 1"],
    ["v128", "f64", "f64x2.extract_lane 1"],
    ["v128 i32", "v128", lanes(shapes.slice(0, 3), "replace_lane")],
    ["v128 i64", "v128", "i64x2.replace_lane 1"],
    ["v128 f32", "v128", "f32x4.replace_lane 1"],
    ["v128 f64", "v128", "f64x2.replace_lane 1"],
    ["v128 v128", "v128", each(shapes.slice(0, 3), "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u")],
    ["v128 v128", "v128", each(["i64x2"], "eq ne lt_s gt_s le_s ge_s")],
    ["v128 v128", "v128", each(floats, "eq ne lt gt le ge add sub mul div min max pmin pmax")],
    ["v128", "v128", each(floats, "abs neg sqrt ceil floor trunc nearest")],
    ["v128", "v128", "v128.not"],
    ["v128 v128", "v128", each(["v128"], "and andnot or xor")],
    ["v128 v128 v128", "v128", "v128.bitselect"],
    ["v128", "i32", `v128.any_true; ${each(whole, "all_true bitmask")}`],
    ["v128", "v128", `${each(whole, "abs neg")}; i8x16.popcnt`],
    ["v128 i32", "v128", each(whole, "shl shr_s shr_u")],
    ["v128 v128", "v128", `${each(whole, "add sub")}; ${each(whole.slice(1), "mul")}`],
    ["v128 v128", "v128", each(narrow, "add_sat_s add_sat_u sub_sat_s sub_sat_u avgr_u")],
    ["v128 v128", "v128", each(shapes.slice(0, 3), "min_s min_u max_s max_u")],
    [
      "v128 v128",
      "v128",
      "i8x16.narrow_i16x8_s; i8x16.narrow_i16x8_u; i16x8.narrow_i32x4_s; i16x8.narrow_i32x4_u",
    ],
    ["v128 v128", "v128", "i16x8.q15mulr_sat_s; i32x4.dot_i16x8_s"],
    ["v128", "v128", widened("extend_low_ extend_high_")],
    ["v128 v128", "v128", widened("extmul_low_ extmul_high_")],
    ["v128", "v128", widened("extadd_pairwise_").split("; ").slice(0, 4).join("; ")],
    ["v128", "v128", "f32x4.demote_f64x2_zero; f64x2.promote_low_f32x4"],
    [
      "v128",
      "v128",
      "i32x4.trunc_sat_f32x4_s; i32x4.trunc_sat_f32x4_u; f32x4.convert_i32x4_s; f32x4.convert_i32x4_u",
    ],
    ["v128", "v128", "i32x4.trunc_sat_f64x2_s_zero; i32x4.trunc_sat_f64x2_u_zero"],
    ["v128", "v128", "f64x2.convert_low_i32x4_s; f64x2.convert_low_i32x4_u"],
  ];
}

/** Operators that make larger lanes of smaller ones. */
function widened(names: string): string {
  const steps = [
    ["i16x8", "i8x16"],
    ["i32x4", "i16x8"],
    ["i64x2", "i32x4"],
  ] as const;
  return steps
    .flatMap(([to, from]) =>
      names.split(" ").flatMap((name) => [`${to}.${name}${from}_s`, `${to}.${name}${from}_u`]),
    )
    .join("; ");
}

/** Small enough for an address, a length and a divisor. */
const OPERANDS: Readonly<Record<string, string>> = {
  i32: "i32.const 3",
  i64: "i64.const 3",
  f32: "f32.const 3.5",
  f64: "f64.const 3.5",
  v128: "v128.const i32x4 1 2 3 4",
  funcref: "ref.null func",
};

/** A module that exports a function for each of the operators, by its text. */
export function operatorsModule(): { text: string; names: readonly [string, ...string[]] } {
  const functions = OPERATORS.flatMap(([takes, gives, operators]) =>
    operators.split("; ").map((operator) => ({
      name: operator,
      body: [...takes.split(" ").map((type) => OPERANDS[type] ?? ""), operator, gives && "drop"].join("\n"),
    })),
  );
  const text = `(module
    (memory (export "memory") 1)
    (table $t 20 1000 funcref)
    (global $g (mut i32) (i32.const 1))
    (data $d "a passive segment") (data $spare "another")
    (elem $e func $f $f $f $f $f $f) (elem $spare func $f)
    (func $f)
    (func (export "_start"))
    ${functions.map(({ name, body }) => `(func (export "${name}") (local $i i32) ${body})`).join("\n")})`;
  return { text, names: ["_start", ...functions.map(({ name }) => name)] };
}
