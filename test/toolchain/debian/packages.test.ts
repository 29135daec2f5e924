import { expect, test } from "vitest";
import { parsePackages } from "../../../src/toolchain/debian/packages.ts";

const stanza = `Package: lld-22
Source: llvm-toolchain-22
Version: 1:22.1.8-1+b2
Installed-Size: 5000
Architecture: amd64
Pre-Depends: dpkg (>= 1.17)
Depends: libc6 (>= 2.34), libllvm22 (= 1:22.1.8-1+b2) | libllvm21, zlib1g:any
Section: devel
Size: 1457120
SHA256: ABCDEF
Description: the linker
 Depends: on nothing in this line
`;

test("a stanza of the index is read, with the first of each list of alternatives", () => {
  expect(parsePackages(stanza)).toEqual([
    {
      name: "lld-22",
      version: "1:22.1.8-1+b2",
      architecture: "amd64",
      section: "devel",
      depends: ["dpkg", "libc6", "libllvm22", "zlib1g"],
      bytes: 1_457_120,
      installedBytes: 5_120_000,
      sha256: "abcdef",
    },
  ]);
});

test("a stanza without a digest is no package: nothing unverified can be downloaded", () => {
  expect(parsePackages(stanza.replace(/^SHA256.*\n/m, ""))).toEqual([]);
});

test("several stanzas are several packages", () => {
  expect(parsePackages(`${stanza}\n${stanza.replace("lld-22", "lld-21")}`).map(({ name }) => name)).toEqual([
    "lld-22",
    "lld-21",
  ]);
});
