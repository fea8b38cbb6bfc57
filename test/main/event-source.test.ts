import { expect, it } from 'vitest'
import { overRestart } from './event-source.ts'

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'an EventSource goes on by itself after %s and a start: it misses nothing, and gets nothing twice',
  async (signal) => {
    const { revisions, opened, gaveUp } = await overRestart(20, signal)
    expect(revisions).toEqual(Array.from({ length: 21 }, (_, at) => at + 1))
    expect(gaveUp).toBe(false)
    expect(opened).toBeGreaterThan(1)
  },
)
