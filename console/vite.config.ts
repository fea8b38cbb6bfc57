import { resolve } from 'node:path'
import { defineConfig } from 'vite'
import { bundledLicenses } from './bundled-licenses.ts'

const licenses = bundledLicenses()

/**
 * The console's build. The coordinator serves the files below `/console/`, possibly behind a prefix that nobody knows here: so every
 * URL is relative. It serves index.html for each page, and then changes `./` in it to `../` as often as the path of the page is deep.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  logLevel: 'warn',
  // Without @preact/preset-vite, which needs Babel.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [licenses.inMain()],
  worker: { format: 'es', plugins: () => [licenses.inWorker()] },
  build: {
    outDir: resolve(import.meta.dirname, '../dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the coordinator allows no script and no picture inside other files.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      // A message about the time that each part of the build took.
      checks: { pluginTimings: false },
      output: {
        // What most pages use is one file. Many small ones would take more requests, and compress worse.
        codeSplitting: {
          groups: [
            {
              name: 'shared',
              test: /console\/src\/(?:parts|api|state|shell|root-url)|node_modules\/@?preact/,
            },
          ],
        },
      },
    },
  },
})
