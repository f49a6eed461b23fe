import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // Svelte's server build is what node would resolve; the tests want the browser's.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  build: {
    outDir: '../build/htdocs',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The player chunk is mostly hls.js, and loaded on the watch page only.
    chunkSizeWarningLimit: 800,
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
