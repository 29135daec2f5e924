import type { Command } from "commander";
import { type DoctorReport, doctor, type Finding } from "../toolchain/doctor.ts";
import { addMachineOptions, type CompilerFlags, cacheDirOf, defined } from "./executor-options.ts";
import { EXIT } from "./exit-codes.ts";
import { conclude } from "./failure.ts";
import { unlessAborted } from "./interruption.ts";
import { columns, formatBytes, printJson, styled } from "./print.ts";
import { visible } from "./terminal.ts";

/** A line of the table. `degraded`: scripts run, with less speed or less protection. */
interface Line {
  state: "ok" | "degraded" | "missing";
  what: string;
  found: string;
  remedy?: string;
}

const MARKS = { ok: ["green", "ok"], degraded: ["yellow", "--"], missing: ["red", "no"] } as const;

export function defineDoctor(command: Command, signal: AbortSignal): void {
  addMachineOptions(command);
  command
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      `\nExits with 0 where a script can be compiled and run as asked, and ${EXIT.unavailable} where not.`,
    )
    .action((flags: CompilerFlags) => conclude(flags.json === true, () => diagnose(flags, signal)));
}

async function diagnose(flags: CompilerFlags, signal: AbortSignal): Promise<number> {
  const { toolchain: rustc, jail = "auto" } = flags;
  const report = await unlessAborted(
    signal,
    doctor({ cacheDir: cacheDirOf(flags), jail, ...defined({ rustc }) }),
  );
  if (flags.json === true) printJson(report);
  else process.stdout.write(`${table(report)}\n`);
  return report.ok ? EXIT.ok : EXIT.unavailable;
}

function table(report: DoctorReport): string {
  const lines = linesOf(report);
  // Colours come after the columns are measured: they take no room.
  const rows = columns(lines.map(({ state, what, found }) => [MARKS[state][1], what, visible(found)])).split(
    "\n",
  );
  const body = lines.map(({ state, remedy }, i) => {
    const [colour, mark] = MARKS[state];
    const row = `${styled(colour, mark, process.stdout)}${(rows[i] ?? "").slice(mark.length)}`;
    return remedy === undefined ? row : `${row}\n      ${visible(remedy)}`;
  });
  return [...body, "", inForce(report), "", summary(report)].join("\n");
}

/** What confines whom: `--` where the operating system does not. */
function inForce({ measures }: DoctorReport): string {
  const rows = columns(
    measures.map(({ confines, what, inForce: enforced, how }) => [
      MARKS[enforced ? "ok" : "degraded"][1],
      confines,
      what,
      how,
    ]),
  ).split("\n");
  return rows
    .map((row, i) => {
      const [colour, mark] = MARKS[measures[i]?.inForce === true ? "ok" : "degraded"];
      return `${styled(colour, mark, process.stdout)}${row.slice(mark.length)}`;
    })
    .join("\n");
}

function summary({ ok, jail }: DoctorReport): string {
  if (!ok) return "scripts cannot be run yet: see above";
  return jail.inForce
    ? "scripts can be compiled and run, each in a jail"
    : "scripts can be compiled and run, without a jail";
}

function linesOf({
  node,
  platform,
  toolchain,
  jail,
  prlimit,
  cacheDir,
  userNamespaces,
}: DoctorReport): Line[] {
  return [
    finding("node", node, ({ version }) => `${version} on ${platform}`, "missing"),
    toolchain.ok
      ? { state: "ok", what: "rustc", found: describeToolchain(toolchain.toolchain) }
      : { state: "missing", what: "rustc", found: toolchain.message },
    jailLine(jail),
    finding("prlimit", prlimit, ({ path }) => path, "missing"),
    finding("namespaces", userNamespaces, () => "allowed to this user"),
    finding<{ freeBytes: number }>(
      "cache",
      cacheDir,
      ({ freeBytes }) => `${cacheDir.path}, ${formatBytes(freeBytes)} free`,
    ),
  ];
}

function finding<T extends object>(
  what: string,
  found: Finding<T>,
  describe: (found: T) => string,
  without: Line["state"] = "degraded",
): Line {
  if (found.ok) return { state: "ok", what, found: describe(found) };
  return { state: without, what, found: found.reason, remedy: found.remedy };
}

function describeToolchain({
  version,
  rustc,
  targets,
  origin,
}: Extract<DoctorReport["toolchain"], { ok: true }>["toolchain"]): string {
  const origins = { option: "--toolchain", RUSTC: "$RUSTC", PATH: "PATH", scriptcell: "scriptcell's own" };
  return `${version} (${origins[origin]}) ${rustc}; ${targets.join(", ")}`;
}

function jailLine({ mode, bubblewrap }: DoctorReport["jail"]): Line {
  const what = "jail";
  if (mode === "off") return { state: "degraded", what, found: "off, as asked" };
  if (bubblewrap.ok) {
    const { version, path } = bubblewrap.bubblewrap;
    return { state: "ok", what, found: `bubblewrap ${version}, ${path}` };
  }
  const { reason, remedy } = bubblewrap;
  return { state: mode === "required" ? "missing" : "degraded", what, found: reason, remedy };
}
