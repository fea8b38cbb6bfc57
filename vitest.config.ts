import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { TestReport } from './scripts/test-report.ts'

// `npm test` runs every behaviour that answers in seconds; `npm run test:long` the ones that kill processes, wait or load much;
// `npm run test:soak` those that go on for as long as somebody has patience.
const kinds = ['long', 'soak'] as const
const kind = kinds.find((each) => process.env[`TEST_${each.toUpperCase()}`] === '1')
const long = kind !== undefined

/** Long tests that ask what comes out, never how fast: two at a time. The others measure time, and have the machine to themselves. */
const together = [
  'archive/archiver/killed-archiver',
  'archive/move/between-backends',
  'archive/move/killed-cutovers',
  'conformance/random-histories',
  'conformance/replicas',
  'consistency/consistency-postgres',
  'consistency/late-commits',
  'deploy/systemd/booted',
  'faults/killed-coordinators',
  'hostile/page-bytes',
  'main/event-source',
  'main/kill',
  'postgres/pgbouncer',
  'sqlite/kill',
  'sqlite/kill-move',
  'supabase/requests',
].map((name) => `test/${name}.long.test.ts`)
const longProjects = [
  { name: 'long, together', include: together, maxWorkers: 2, sequence: { groupOrder: 0 } },
  {
    ...{ name: 'long', include: ['test/**/*.long.test.ts'], exclude: ['**/node_modules/**', ...together] },
    ...{ maxWorkers: 1, sequence: { groupOrder: 1 } },
  },
].map((test) => ({ extends: true as const, test }))

export default defineConfig({
  test: {
    name: kind ?? 'test',
    // Projects add to these lists.
    ...(kind === 'long'
      ? { include: [], projects: longProjects }
      : { include: [long ? `test/**/*.${kind}.test.ts` : 'test/**/*.test.ts'] }),
    exclude: ['**/node_modules/**', ...(long ? [] : kinds.map((each) => `test/**/*.${each}.test.ts`))],
    // A file of its own process: a leaked handle, an env variable or a metric registry cannot reach the next file.
    pool: 'forks',
    // Most files wait for databases, processes and clocks more than they compute: three at a time keep two cores busy.
    maxWorkers: long ? 1 : Math.max(3, availableParallelism() - 1),
    // For what hangs. What must be fast is measured by its test: a busy machine takes half a minute to start a PostgreSQL.
    testTimeout: long ? 300_000 : 180_000,
    hookTimeout: long ? 300_000 : 180_000,
    teardownTimeout: 10_000,
    // What must come about, not how fast: on a busy machine the second that is the default is sometimes too short.
    expect: { poll: { timeout: 30_000 } },
    reporters: [
      ['default', { summary: true }],
      ...(process.env['TEST_REPORT'] ? [new TestReport(process.env['TEST_REPORT'])] : []),
    ],
    restoreMocks: true,
    unstubEnvs: true,
    // Threads and processes that tests start compile the sources once, not each for itself: that halves their start.
    env: { NODE_COMPILE_CACHE: resolve('node_modules/.cache/node-compile-cache') },
  },
})
