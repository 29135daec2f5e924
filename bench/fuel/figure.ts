import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { type FuelCosts, geometricMean, type ProgramCost } from "./measure.ts";

/** Colours for a page with a light or a dark background; the figure itself has none. */
const THEMES = {
  light: { text: "#1f2328", line: "#d1d9e0", series: ["#0969da", "#bc4c00", "#59636e"] },
  dark: { text: "#f0f6fc", line: "#3d444d", series: ["#4493f8", "#f0883e", "#9198a1"] },
} as const;

const SERIES: readonly ProgramCost["series"][] = ["fast-run", "fast-compile", "wasmtime"];

/** A program a line: how many times as long it takes with fuel, with the quartiles. */
export async function drawFuel({ programs, node }: FuelCosts, theme: keyof typeof THEMES): Promise<string> {
  const { text, line, series } = THEMES[theme];
  const labels = SERIES.map((name) => {
    const mean = geometricMean(
      programs.filter((cost) => cost.series === name).map(({ ratio }) => ratio.median),
    );
    return { name, label: `${name === "wasmtime" ? "Wasmtime, fast-run" : name}: ${mean.toFixed(2)}×` };
  });
  const values = programs.map(({ program, series: name, ratio }) => ({
    program,
    series: labels.find((item) => item.name === name)?.label,
    ...ratio,
  }));
  const y = { field: "program", type: "nominal", title: null } as const;
  const yOffset = { field: "series", type: "nominal", sort: labels.map(({ label }) => label) } as const;
  const x = (field: string) =>
    ({
      field,
      type: "quantitative",
      title: "time with fuel ÷ time without (median, quartiles)",
      scale: { zero: false, nice: true },
    }) as const;
  const color = {
    field: "series",
    type: "nominal",
    title: `geometric means (Node ${node.replace("v", "")})`,
    scale: { domain: labels.map(({ label }) => label), range: [...series] },
  } as const;
  const spec: TopLevelSpec = {
    data: { values },
    width: 520,
    height: { step: 9 },
    background: "transparent",
    layer: [
      { mark: { type: "rule", strokeWidth: 1.5, color: text, opacity: 0.6 }, encoding: { x: { datum: 1 } } },
      {
        mark: { type: "rule", strokeWidth: 1.5 },
        encoding: { y, yOffset, x: x("lower"), x2: { field: "upper" }, color },
      },
      {
        mark: { type: "point", filled: true, size: 36, opacity: 1 },
        encoding: { y, yOffset, x: x("median"), color },
      },
    ],
    config: {
      font: "sans-serif",
      axis: { labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line },
      legend: { labelColor: text, titleColor: text, orient: "top", labelLimit: 300, titleLimit: 400 },
      view: { stroke: null },
    },
  };
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  return `${await view.toSVG()}\n`;
}
