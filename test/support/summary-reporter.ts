import type { Reporter, TestModule } from "vitest/node";

/** Ends the output with one plain line: `N passed, N failed`. A file that could not be loaded counts as a failure. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      const before = failed;
      for (const test of module.children.allTests()) {
        if (test.result().state === "passed") passed += 1;
        else failed += 1;
      }
      if (module.state() === "failed" && failed === before) failed += 1;
    }
    console.log(`${passed} passed, ${failed} failed`);
  }
}
