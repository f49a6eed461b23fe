import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  resolve: {
    // Svelte's server build is what node would resolve; the tests want the browser's.
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
    // As it was written, not as it was translated for browsers of 2009: half the size.
    alias: { 'tus-js-client': 'tus-js-client/lib/browser/index.js' },
  },
  build: {
    outDir: '../build/htdocs',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The player chunk is mostly hls.js, and loaded on the watch page only.
    chunkSizeWarningLimit: 850,
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
    // As the browser has them, with effects that run: on a server they do not.
    testTransformMode: { web: ['**/*.svelte.test.ts'] },
    // node would not take the one of the alias for a module.
    server: { deps: { inline: ['tus-js-client'] } },
  },
});
