import { defineConfig } from "vitest/config";
import { SummaryReporter } from "./test/support/summary-reporter.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/toolchain-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores, and most tests start processes: more files at once only make each slower.
    maxWorkers: 2,
    reporters: ["default", new SummaryReporter()],
  },
});
