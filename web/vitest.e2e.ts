// Tests in browsers: `npm run e2e`. They share two cores with a server and a browser, so one file
// at a time.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/e2e/*.test.mjs"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000, interval: 60 } },
  },
});
