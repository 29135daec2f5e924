import { readFileSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url);

/** The data sets that scripts work on. */
export const DATA = new URL("node_modules/vega-datasets/data/", ROOT);

/** A script of the fixtures. */
export function script(name: string): string {
  return readFileSync(new URL(`fixtures/scripts/${name}.rs`, ROOT), "utf8");
}

/** A script of the fixtures that misbehaves. */
export function attack(name: string): string {
  return readFileSync(new URL(`fixtures/attacks/run/${name}.rs`, ROOT), "utf8");
}

/** A script of the fixtures that attacks the preview 1 host. */
export function hostAttack(name: string): string {
  return readFileSync(new URL(`fixtures/attacks/preview1/${name}.rs`, ROOT), "utf8");
}

/** The same program under a text that no store has seen. */
export function neverSeen(source: string): string {
  return `${source}\n// ${crypto.randomUUID()}\n`;
}
