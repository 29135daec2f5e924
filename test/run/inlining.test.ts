import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { inliningFlags } from "../../src/run/inlining.ts";

const HERE = inliningFlags(process.versions.node);

test("this Node knows every setting for metered code, and starts with them", () => {
  expect(HERE.length).toBeGreaterThan(0);
  const listed = execFileSync(process.execPath, [...HERE, "--v8-options"], { encoding: "utf8" });
  for (const flag of HERE) {
    const [name = ""] = flag.split("=");
    expect(listed).toContain(`${name} (`);
  }
  execFileSync(process.execPath, [...HERE, "-e", "0"]);
});

test.each(["22.18.0", "24.21.0", "26.10.0"])("Node %s gets them", (version) => {
  expect(inliningFlags(version)).toEqual(HERE);
});

test("a Node that may not know them gets none, and starts", () => {
  expect(inliningFlags("27.0.0")).toEqual([]);
});
