import { compiled, fixture, library, runs } from "../library.ts";
import { commandOf, descendants, type Memory, memoryOf } from "../processes.ts";
import type { Row, Section } from "../report.ts";
import { quantile } from "../timing.ts";

const HELLO = '{"hello":"world"}\n';
const CELLS = 6;
/** Runs after which a long-lived cell is looked at. By the first, V8 has optimised what is hot; from there on it should be flat. */
const SOAK = [1_000, 5_000, 10_000] as const;

/** What idle cells hold, and whether a cell that serves for long holds more. */
export async function memory(): Promise<Section> {
  return {
    name: "memory",
    title: "memory of cells",
    rows: [...(await idleCells()), ...(await longLivedCell())],
  };
}

async function idleCells(): Promise<Row[]> {
  await using executor = new library.ScriptExecutor({ cells: { maxIdle: CELLS, spares: 0 } });
  const module = await compiled(executor, fixture("hello"));
  // A tenant each, so that each has a cell of its own.
  for (let tenant = 0; tenant < CELLS; tenant++) {
    const result = await executor.execute(module, { tenant: String(tenant) });
    if (result.status !== "ok") throw new Error(`the run failed: ${result.status}`);
  }
  const cells = memoryOfCells();
  if (cells.length !== CELLS) throw new Error(`expected ${CELLS} cells and found ${cells.length}`);
  const median = (field: keyof Memory): number =>
    mib(
      quantile(
        cells.map((cell) => cell[field]),
        0.5,
      ),
    );
  return [
    { what: "idle cell, RSS", value: median("rss"), unit: "MiB", target: { at: "most", value: 50 } },
    { what: `idle cell, PSS of ${CELLS} cells`, value: median("pss"), unit: "MiB" },
    { what: "idle cell, pages of its own", value: median("own"), unit: "MiB" },
  ];
}

async function longLivedCell(): Promise<Row[]> {
  const last = SOAK[SOAK.length - 1] ?? 0;
  await using executor = new library.ScriptExecutor({
    cells: { maxRunning: 1, maxIdle: 1, spares: 0, runsPerCell: last + 1 },
  });
  const module = await compiled(executor, fixture("hello"));
  const resident: number[] = [];
  let served = 0;
  for (const after of SOAK) {
    for (; served < after; served++) await runs(executor, module, HELLO);
    const [cell] = memoryOfCells();
    if (cell === undefined) throw new Error("the cell is gone");
    resident.push(cell.rss);
  }
  const rows = resident.map(
    (bytes, i): Row => ({
      what: `cell after ${SOAK[i]?.toLocaleString("en")} runs, RSS`,
      value: mib(bytes),
      unit: "MiB",
    }),
  );
  const growth = Math.max(...resident) / Math.min(...resident);
  return [
    ...rows,
    {
      what: "  the most of them against the least",
      value: growth,
      unit: "×",
      target: { at: "most", value: 1.1 },
    },
  ];
}

/** Memory of each cell's process; a jail's own process is not the cell. */
function memoryOfCells(): Memory[] {
  return descendants()
    .filter((pid) => commandOf(pid) !== "bwrap")
    .map(memoryOf)
    .filter((found) => found !== undefined);
}

function mib(bytes: number): number {
  return bytes / (1024 * 1024);
}
