import { afterAll, expect, type RunnerTask } from 'vitest'
import type { ConformanceBackend } from '../conformance/backend.ts'
import { describeStore } from '../conformance/index.ts'

/** How many cases the conformance suite has. A backend that lacks an ability asserts so: every one runs them all. */
const CASES = 496

/** Runs the suite on these backends, prints how many cases ran on each, and fails where one was left out. */
export function runConformance(...backends: readonly ConformanceBackend[]): void {
  const ran = new Map<string, number>()
  for (const backend of backends) describeStore(backend, (cases) => ran.set(backend.name, cases))
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads this pattern to know what the hook asks for.
  afterAll(({}, file) => {
    for (const [name, cases] of ran) console.log(`conformance: ${name} ran ${cases} of ${CASES} cases`)
    expect(file.tasks.map(casesOf)).toEqual(backends.map(() => CASES))
  })
}

/** Cases that are there, whether or not this run was asked for all of them. */
function casesOf(task: RunnerTask): number {
  return task.type === 'suite' ? task.tasks.reduce((sum, child) => sum + casesOf(child), 0) : 1
}
