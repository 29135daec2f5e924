import { defineConfig } from "vitest/config";
import { SummaryReporter } from "./test/support/summary-reporter.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/toolchain-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // For two cores: most tests start processes of their own, and some wait for a clock.
    maxWorkers: 3,
    reporters: ["default", new SummaryReporter()],
  },
});
