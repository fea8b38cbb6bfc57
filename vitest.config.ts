import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

// `npm test` runs every behaviour that answers in seconds; `npm run test:long` the ones that kill processes, wait or load much.
const long = process.env['TEST_LONG'] === '1'

export default defineConfig({
  test: {
    name: long ? 'long' : 'test',
    include: long ? ['test/**/*.long.test.ts'] : ['test/**/*.test.ts'],
    exclude: long ? ['**/node_modules/**'] : ['**/node_modules/**', 'test/**/*.long.test.ts'],
    // A file of its own process: a leaked handle, an env variable or a metric registry cannot reach the next file.
    pool: 'forks',
    // Most files wait for databases, processes and clocks more than they compute: three at a time keep two cores busy.
    // The long ones measure how fast something recovers: they have the machine to themselves.
    maxWorkers: long ? 1 : Math.max(3, availableParallelism() - 1),
    // For what hangs. What must be fast is measured by its test: a busy machine takes half a minute to start a PostgreSQL.
    testTimeout: long ? 300_000 : 60_000,
    hookTimeout: long ? 300_000 : 120_000,
    teardownTimeout: 10_000,
    // What must come about, not how fast: on a busy machine the second that is the default is sometimes too short.
    expect: { poll: { timeout: 10_000 } },
    reporters: process.env['TEST_REPORT']
      ? [
          ['default', { summary: true }],
          ['json', { outputFile: process.env['TEST_REPORT'] }],
        ]
      : [['default', { summary: true }]],
    restoreMocks: true,
    unstubEnvs: true,
    // Threads and processes that tests start compile the sources once, not each for itself: that halves their start.
    env: { NODE_COMPILE_CACHE: resolve('node_modules/.cache/node-compile-cache') },
  },
})
