import { ScriptcellError } from "../errors.ts";
import { type OsRelease, readOsRelease } from "./os-release.ts";

const RUSTUP =
  "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --target wasm32-wasip1";

/** Commands that install rustc with the wasm target, its linker and bubblewrap, by the `ID` of os-release(5). */
const COMMANDS: Readonly<Record<string, string>> = {
  fedora: "sudo dnf install rust rust-std-static-wasm32-wasip1 lld bubblewrap",
  rhel: "sudo dnf install rust rust-std-static-wasm32-wasip1 lld bubblewrap",
  arch: "sudo pacman -S rust rust-wasm lld bubblewrap",
  alpine: "sudo apk add rust rust-wasm lld bubblewrap",
  opensuse: "sudo zypper install rustup bubblewrap && rustup toolchain install stable --target wasm32-wasip1",
  suse: "sudo zypper install rustup bubblewrap && rustup toolchain install stable --target wasm32-wasip1",
  ubuntu: `sudo apt install bubblewrap && ${RUSTUP}`,
  debian: `sudo apt install bubblewrap && ${RUSTUP}`,
};

/** What to run on a system that scriptcell does not set up by itself. */
export function commandsFor(platform: NodeJS.Platform, system: OsRelease): string {
  if (platform === "darwin")
    return "`brew install rustup && rustup toolchain install stable --target wasm32-wasip1`";
  if (platform === "win32") return "`winget install Rustlang.Rustup` and `rustup target add wasm32-wasip1`";
  for (const id of [system.id, ...system.like]) {
    // openSUSE calls itself opensuse-leap, opensuse-tumbleweed.
    const commands = COMMANDS[id] ?? COMMANDS[id.split("-")[0] ?? id];
    if (commands !== undefined) return `\`${commands}\``;
  }
  return `\`${RUSTUP}\``;
}

/** The error for a system where scriptcell can install nothing; `reason` says why not. */
export async function unsupported(reason: string, cause?: unknown): Promise<ScriptcellError> {
  const system = await readOsRelease();
  const name = process.platform === "linux" ? system.name : process.platform;
  return new ScriptcellError(
    "SETUP_UNSUPPORTED",
    `scriptcell cannot install a toolchain on ${name} by itself (${reason}): run ${commandsFor(process.platform, system)}`,
    { cause },
  );
}
