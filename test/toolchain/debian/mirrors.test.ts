import { expect, test } from "vitest";
import {
  debianArchives,
  ownSuites,
  parseIndexTargets,
  parsePrintedUris,
} from "../../../src/toolchain/debian/mirrors.ts";

const bookworm = { id: "debian", like: [], codename: "bookworm", name: "Debian" };

const targets = `http://mirror.example.org/debian/ bookworm main
http://mirror.example.org/debian/ bookworm-updates main
http://mirror.example.org/debian/ bookworm contrib
http://mirror.example.org/debian/ bookworm-backports main
http://mirror.example.org/debian-security/ bookworm-security main
https://deb.example.com/node nodistro main
cdrom:[Debian]/ bookworm main
`;

test("the archive is the one that carries the system's own suite, not somebody else's repository", () => {
  expect(debianArchives(parseIndexTargets(targets), bookworm)).toEqual(["http://mirror.example.org/debian"]);
});

test("bubblewrap comes from the system's own suite, its updates and its security suite, never from backports", () => {
  expect(ownSuites(parseIndexTargets(targets), bookworm)).toEqual([
    { uri: "http://mirror.example.org/debian", suite: "bookworm" },
    { uri: "http://mirror.example.org/debian", suite: "bookworm-updates" },
    { uri: "http://mirror.example.org/debian-security", suite: "bookworm-security" },
  ]);
});

test("sources that name suites by their role are understood", () => {
  const sources = parseIndexTargets("https://mirror.example.org/pub/debian/ stable main\n");
  expect(debianArchives(sources, { ...bookworm, codename: "trixie" })).toEqual([
    "https://mirror.example.org/pub/debian",
  ]);
});

test("a system whose lists were never downloaded is understood from what apt would download", () => {
  const printed = `'http://mirror.example.org/debian/dists/bookworm/InRelease' mirror.example.org_debian_dists_bookworm_InRelease 0
'http://mirror.example.org/debian-security/dists/bookworm-security/InRelease' mirror.example.org_x_InRelease 0
'http://mirror.example.org/debian/dists/bookworm/main/binary-amd64/Packages.xz' mirror.example.org_Packages 0
`;
  expect(parsePrintedUris(printed)).toEqual([
    { uri: "http://mirror.example.org/debian", suite: "bookworm" },
    { uri: "http://mirror.example.org/debian-security", suite: "bookworm-security" },
  ]);
});

test("another distribution's own suite makes no Debian archive", () => {
  const sources = parseIndexTargets("http://archive.example.com/ubuntu/ noble main\n");
  expect(
    debianArchives(sources, { id: "ubuntu", like: ["debian"], codename: "noble", name: "Ubuntu" }),
  ).toEqual([]);
});

test("a source that could smuggle options or lines into a sources.list is dropped", () => {
  expect(parsePrintedUris("'http://a/ [trusted=yes] b/dists/x/InRelease' f 0\n")).toEqual([]);
  expect(parseIndexTargets("http://a/ b]c main\n")).toEqual([]);
});
