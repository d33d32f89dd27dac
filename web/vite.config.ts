import { defineConfig } from "vitest/config";

// The built page ships in the repository, so the same sources must give the same bytes: names
// without hashes, one script, one style sheet, no source maps.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../crates/gotrail-view/page",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:7070" } },
  test: { include: ["test/**/*.test.ts"] },
});
