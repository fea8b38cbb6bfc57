import { describe, expect, it } from 'vitest'
import { newCommitId } from '../../src/live/writing/new-commit-id.ts'

describe('commit ids', () => {
  it('are UUIDs of version 7 that never repeat, each sorting behind the one before', () => {
    const ids = Array.from({ length: 20_000 }, () => newCommitId())
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.toSorted()).toEqual(ids)
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('carry the time at which they were made', () => {
    const before = Date.now()
    const made = Number.parseInt(newCommitId().replaceAll('-', '').slice(0, 12), 16)
    expect(made).toBeGreaterThanOrEqual(before - 1)
    expect(made).toBeLessThanOrEqual(Date.now() + 1_000)
  })
})
