import { describe, expect, it } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import { DatabaseCalls } from '../../src/telemetry/metrics/database-calls.ts'

describe('calls to the database', () => {
  it('are summed up by operation: how many since the start, and how long the newest took', () => {
    const calls = new DatabaseCalls()
    for (let ms = 1; ms <= 100; ms += 1) calls.add('commit', ms)
    calls.add('head', 2.5)
    expect(calls.latency).toEqual({
      commit: { count: 100, p50Ms: 50, p95Ms: 95, p99Ms: 99 },
      head: { count: 1, p50Ms: 2.5, p95Ms: 2.5, p99Ms: 2.5 },
    })
  })

  it('leave old durations behind: what the database does now must not hide behind what it did', () => {
    const calls = new DatabaseCalls()
    for (let count = 0; count < 5_000; count += 1) calls.add('commit', 1)
    for (let count = 0; count < 1_024; count += 1) calls.add('commit', 80)
    expect(calls.latency['commit']).toEqual({ count: 6_024, p50Ms: 80, p95Ms: 80, p99Ms: 80 })
  })

  it('that failed are listed, the newest first, at most 20, with the driver’s code', () => {
    const calls = new DatabaseCalls()
    for (let count = 1; count <= 30; count += 1)
      calls.add('changes', 1, {
        error: new CoordinatorError('COORD_STORE_TIMEOUT', { detail: `no ${count}`, sourceCode: '57014' }),
      })
    expect(calls.lastFailures).toHaveLength(20)
    expect(calls.lastFailures[0]).toMatchObject({
      operation: 'changes',
      code: 'COORD_STORE_TIMEOUT',
      sourceCode: '57014',
      detail: 'no 30',
    })
    expect(calls.lastFailures.at(-1)?.detail).toBe('no 11')
  })

  it('tell nothing of an error that no driver translated', () => {
    const calls = new DatabaseCalls()
    calls.add('open', 1, { error: new TypeError('postgres://user:secret@host/db') })
    expect(JSON.stringify(calls.lastFailures)).not.toContain('secret')
  })
})
