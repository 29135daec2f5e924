import { styleText } from "node:util";
import { GiB, KiB, MiB } from "../limits.ts";
import { visible } from "./terminal.ts";

type Style = Parameters<typeof styleText>[0];

/**
 * One JSON document on stdout, for programs. Bigints become strings of digits. JSON escapes control characters up to
 * U+001F by itself; the others that a terminal may obey are escaped here.
 */
export function printJson(document: unknown): void {
  const text = JSON.stringify(
    document,
    (_, value) => (typeof value === "bigint" ? value.toString() : value),
    2,
  );
  const escaped = (control: string): string => `\\u00${control.charCodeAt(0).toString(16)}`;
  process.stdout.write(`${text.replace(/[\u007f-\u009f]/g, escaped)}\n`);
}

/** What scriptcell has to say besides a command's product. Goes to stderr, which a pipe leaves to the person. */
export function printNote(text: string): void {
  process.stderr.write(`${visible(text)}\n`);
}

export function printError(message: string): void {
  process.stderr.write(`${styled("red", "error:")} ${visible(message)}\n`);
}

export function printWarning(message: string): void {
  process.stderr.write(`${styled("yellow", "warning:")} ${visible(message)}\n`);
}

/** Coloured where the stream is a terminal that wants colours (`NO_COLOR` and `FORCE_COLOR` are honoured). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stderr): string {
  return styleText(style, text, { stream });
}

/** Rows in columns, the last one ragged. Cells hold no line ends and no colours. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  "),
    )
    .join("\n");
}

/** `20,000,000,000`. */
export function formatCount(count: number | bigint): string {
  return count.toLocaleString("en-US");
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, name] of [
    [GiB, "GiB"],
    [MiB, "MiB"],
    [KiB, "KiB"],
  ] as const) {
    if (bytes >= unit) return `${trimmed(bytes / unit)} ${name}`;
  }
  return `${bytes} B`;
}

/** `340 ms`, `2.5 s`, `24 h`. */
export function formatMs(ms: number): string {
  if (ms >= 3_600_000) return `${trimmed(ms / 3_600_000)} h`;
  if (ms >= 60_000) return `${trimmed(ms / 60_000)} min`;
  return ms >= 1_000 ? `${trimmed(ms / 1_000)} s` : `${trimmed(ms)} ms`;
}

/** `3 hours ago`. */
export function formatAge(date: Date, now = Date.now()): string {
  const seconds = Math.max(0, (now - date.getTime()) / 1_000);
  for (const [length, unit] of [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
  ] as const) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  return "just now";
}

function trimmed(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}
