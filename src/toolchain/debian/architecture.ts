import { ScriptcellError } from "../../errors.ts";
import { runCommand } from "../command.ts";

/** A Debian architecture that scriptcell can set up. */
export interface Architecture {
  /** dpkg's name. */
  name: string;
  /** The directory below `/usr/lib` that holds its libraries. */
  multiarch: string;
  /** The dynamic loader's file name in that directory. */
  loader: string;
}

const ARCHITECTURES: readonly Architecture[] = [
  { name: "amd64", multiarch: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  { name: "arm64", multiarch: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
];

/** The machine's architecture as dpkg sees it. */
export async function systemArchitecture(signal?: AbortSignal): Promise<Architecture> {
  const name = (await runCommand("dpkg", ["--print-architecture"], { signal, timeoutMs: 30_000 })).trim();
  const found = ARCHITECTURES.find((architecture) => architecture.name === name);
  if (found !== undefined) return found;
  throw new ScriptcellError(
    "SETUP_UNSUPPORTED",
    `scriptcell sets up a toolchain on ${ARCHITECTURES.map((known) => known.name).join(" and ")}, not on ${name}: install rustup (https://rustup.rs) and run \`rustup target add wasm32-wasip1\``,
  );
}
