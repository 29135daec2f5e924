/** What a value has to be. */
export interface Target {
  at: "most" | "least";
  value: number;
}

/** One line of the report. */
export interface Row {
  what: string;
  value: number;
  unit: "ms" | "×" | "runs/s" | "MiB" | "µs" | "ms/MB";
  target?: Target;
}

/** What one measurement found. */
export interface Section {
  name: string;
  title: string;
  rows: readonly Row[];
}

/** Whether a row's value is what it has to be; null where it only informs. */
export function meets({ value, target }: Row): boolean | null {
  if (target === undefined) return null;
  return target.at === "most" ? value <= target.value : value >= target.value;
}

/** The sections as an aligned table. */
export function formatTable(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ title, rows }) => [
    [title, "", "", ""],
    ...rows.map((row) => [
      `  ${row.what}`,
      `${format(row.value)} ${row.unit}`,
      row.target === undefined
        ? ""
        : `${row.target.at === "most" ? "≤" : "≥"} ${format(row.target.value)} ${row.unit}`,
      { true: "reached", false: "MISSED", null: "" }[String(meets(row))] ?? "",
    ]),
  ]);
  const table = [["", "measured", "target", ""], ...lines];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table
    .map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 || column === 3
            ? cell.padEnd(widths[column] ?? 0)
            : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function format(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
