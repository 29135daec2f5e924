import { defineConfig } from "vitest/config";
import { BUILT_CELL_CODE } from "./test/support/built-cells.ts";
import { SummaryReporter } from "./test/support/summary-reporter.ts";

export default defineConfig({
  resolve: { alias: [{ find: "./cell-code.ts", replacement: BUILT_CELL_CODE }] },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/toolchain-setup.ts", "test/support/cells-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // For two cores: most tests start processes of their own, and some wait for a clock.
    maxWorkers: 3,
    reporters: ["default", new SummaryReporter()],
  },
});
