import { defineConfig } from "vitest/config";

/** Test files at a time: most of their time they wait; more would be too much for a machine with two cores. */
const UNIT_WORKERS = 2;
const E2E_WORKERS = 3;
/** A machine that does other work meanwhile may be late once. What fails twice fails; the report names what needed it. */
const RETRIES = 1;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/reliability/**"],
          testTimeout: 20_000,
          retry: RETRIES,
          maxWorkers: UNIT_WORKERS,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          retry: RETRIES,
          maxWorkers: E2E_WORKERS,
        },
      },
      {
        test: {
          name: "reliability",
          include: ["test/reliability/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          retry: RETRIES,
          // Each has a daemon of its own, which mostly waits.
          maxConcurrency: 8,
          maxWorkers: E2E_WORKERS,
        },
      },
    ],
  },
});
