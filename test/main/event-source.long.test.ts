import { expect, it } from 'vitest'
import { overRestart } from './event-source.ts'

it('an EventSource goes on by itself when a coordinator with 300,000 services starts again', async () => {
  const { revisions, opened, gaveUp, openedMs, loadedMs } = await overRestart(300_000, 'SIGTERM')
  console.log(
    `open again ${openedMs?.toFixed(0) ?? 'later'} ms after the end, loaded after ${loadedMs.toFixed(0)} ms`,
  )
  expect(revisions.length).toBe(300_001)
  expect(revisions.every((revision, at) => revision === at + 1)).toBe(true)
  expect(gaveUp).toBe(false)
  expect(opened).toBeGreaterThan(1)
}, 600_000)
