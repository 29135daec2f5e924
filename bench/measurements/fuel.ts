import { type FuelCosts, geometricMean, measureFuel } from "../fuel/measure.ts";
import type { Row, Section } from "../report.ts";

/** What fuel costs: the same programs metered and not, in this Node. */
export async function fuel(): Promise<Section> {
  return fuelSection(await measureFuel(process.execPath));
}

/** The figures as a section of the report. */
export function fuelSection({ node, programs, growth, rewriting }: FuelCosts): Section {
  const geomean = (series: string, of: "warm" | "cold"): number =>
    geometricMean(
      programs
        .filter((cost) => cost.series === series)
        .map(({ ratio, cold }) => (of === "warm" ? ratio.median : (cold ?? Number.NaN))),
    );
  const profile = (name: "fast-run" | "fast-compile"): Row[] => [
    {
      what: `${name}: metered against not, warm, geometric mean`,
      value: geomean(name, "warm"),
      unit: "×",
      ...(name === "fast-run" && { target: { at: "most", value: 1.08 } }),
    },
    { what: "  the first run, with compiling", value: geomean(name, "cold"), unit: "×" },
    { what: "  size of the module", value: growth[name], unit: "×" },
    {
      what: "  rewriting, without V8's validation",
      value: rewriting[name].own,
      unit: "ms/MB",
      target: { at: "most", value: 15 },
    },
    { what: "  rewriting, with it", value: rewriting[name].withValidation, unit: "ms/MB" },
  ];
  return {
    name: "fuel",
    title: `what fuel costs ${programs.filter(({ series }) => series === "fast-run").length} programs (Node ${node})`,
    rows: [
      ...profile("fast-run"),
      ...profile("fast-compile"),
      { what: "Wasmtime: with fuel against without", value: geomean("wasmtime", "warm"), unit: "×" },
    ],
  };
}
