import { defineConfig } from 'vitest/config'

// The floor is Chrome 70 (F5): no optional chaining, no nullish operators, no top-level await in the output; `tools/check-output.mjs` makes sure.
export default defineConfig({
  build: {
    target: 'chrome70',
    cssTarget: 'chrome70',
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8080',
      '/ws': { target: 'ws://127.0.0.1:8080', ws: true },
    },
  },
  test: { environment: 'node', include: ['test/**/*.test.ts'] },
})
