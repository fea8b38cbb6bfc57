import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { ConformanceBackend } from './backend.ts'
import { RandomHistory, type Step, step } from './random-history.ts'
import { Scope } from './scope.ts'

/** Random histories against a plain model. */
export function properties(backend: ConformanceBackend, times = 1): void {
  describe(`${backend.name}: random histories`, () => {
    it('answers, and remembers, what a plain model does', { timeout: 120_000 * times }, async () => {
      const numRuns = (backend.propertyRuns ?? 30) * times
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => run(backend, steps)),
        // Ends before Vitest does, so that a failure shows the history that it has found so far.
        { numRuns, interruptAfterTimeLimit: 100_000 * times, markInterruptAsFailure: true },
      )
    })
  })
}

async function run(backend: ConformanceBackend, steps: readonly Step[]): Promise<void> {
  const subject = await backend.create({ pageSize: 3, firstRevision: 0 })
  try {
    const history = RandomHistory.of(new Scope(backend, subject, await subject.store.open()))
    await history.tick(0)
    for (const next of steps) await history.take(next)
    await history.compare()
  } finally {
    await subject.dispose()
  }
}
