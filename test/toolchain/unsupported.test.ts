import { expect, test } from "vitest";
import { parseOsRelease } from "../../src/toolchain/os-release.ts";
import { commandsFor } from "../../src/toolchain/unsupported.ts";

const commands = (osRelease: string): string => commandsFor("linux", parseOsRelease(osRelease));

test.each([
  ["ID=fedora\n", "dnf"],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf"],
  ["ID=arch\n", "pacman"],
  ["ID=manjaro\nID_LIKE=arch\n", "pacman"],
  ["ID=alpine\n", "apk"],
  ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "zypper"],
  ['ID="opensuse-leap"\n', "zypper"],
  ["ID=ubuntu\nID_LIKE=debian\n", "apt install bubblewrap && curl"],
  ["ID=linuxmint\nID_LIKE='ubuntu debian'\n", "apt install bubblewrap && curl"],
  ["ID=nixos\n", "sh.rustup.rs"],
  ["", "sh.rustup.rs"],
])("a system that says %j is told its own commands", (osRelease, command) => {
  expect(commands(osRelease)).toContain(command);
});

test("macOS and Windows are told theirs", () => {
  const system = parseOsRelease("");
  expect(commandsFor("darwin", system)).toContain("brew install rustup");
  expect(commandsFor("win32", system)).toContain("winget install Rustlang.Rustup");
});

test("os-release is read with its quotes and escapes", () => {
  expect(
    parseOsRelease('# c\nPRETTY_NAME="A \\"fine\\" system"\nID=debian\nVERSION_CODENAME=bookworm\n'),
  ).toEqual({
    id: "debian",
    like: [],
    codename: "bookworm",
    name: 'A "fine" system',
  });
});
