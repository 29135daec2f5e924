/**
 * Measures what fuel costs, and draws it: `npm run bench:fuel -- [--node PATH] [--figure]`. The guests run in the Node at PATH. With `--figure`
 * the figures go to bench/fuel.json, and from there to bench/fuel-light.svg and bench/fuel-dark.svg; `--draw` only draws.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { drawFuel } from "./fuel/figure.ts";
import { type FuelCosts, measureFuel } from "./fuel/measure.ts";
import { fuelSection } from "./measurements/fuel.ts";
import { formatTable } from "./report.ts";

const { values } = parseArgs({
  options: {
    node: { type: "string", default: process.execPath },
    figure: { type: "boolean", default: false },
    draw: { type: "boolean", default: false },
  },
});
const file = (name: string): URL => new URL(name, import.meta.url);
const costs: FuelCosts = values.draw
  ? (JSON.parse(readFileSync(file("fuel.json"), "utf8")) as FuelCosts)
  : await measureFuel(values.node);
console.log(formatTable([fuelSection(costs)]));
if (!values.draw) console.log(`load ${(loadavg()[0] ?? 0).toFixed(1)}`);
if (values.figure) writeFileSync(file("fuel.json"), `${JSON.stringify(costs, null, 2)}\n`);
if (values.figure || values.draw) {
  for (const theme of ["light", "dark"] as const) {
    writeFileSync(file(`fuel-${theme}.svg`), await drawFuel(costs, theme));
  }
}
