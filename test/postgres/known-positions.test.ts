import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { KnownPositions } from '../../src/database/postgres/known-positions.ts'
import type { Head } from '../../src/database/store.ts'
import type { Entry, Position } from '../../src/records/record.ts'

const lineage = randomUUID()
const at = (revision: number, digest = `d${revision}`): Position => ({ lineage, revision, digest })
const headAt = (position: Position, more: Partial<Head> = {}): Head => ({
  ...{ position, floor: 0, at: 1, accessVersion: '', ancestors: [], mode: 'open' as const },
  ...more,
})
const entryAt = ({ revision, digest }: Position): Entry => ({
  ...{ revision, digest, commitId: randomUUID(), at: 1, actor: 'test', writes: [] },
})
const changes = (...positions: readonly Position[]) =>
  ({
    status: 'ok',
    entries: positions.map(entryAt),
    more: false,
    accessVersion: '',
    mode: 'open',
  }) as const

describe('what the primary told', () => {
  it('is nothing at first', () => {
    const known = new KnownPositions()
    expect(known.end).toBeUndefined()
    expect(known.has(at(0))).toBe(false)
  })

  it('is the newest of what heads, changes and commits say, whatever their order', () => {
    const known = new KnownPositions()
    known.head(headAt(at(5)))
    known.changes(at(5), changes(at(6), at(7)))
    known.head(headAt(at(6)))
    expect(known.end?.position).toEqual(at(7))
    for (const revision of [5, 6, 7]) expect(known.has(at(revision))).toBe(true)
    expect(known.has(at(6, 'other'))).toBe(false)
    expect(known.has({ ...at(6), lineage: randomUUID() })).toBe(false)
    known.changes(at(3), changes(at(4)))
    expect(known.end?.position).toEqual(at(7))
    expect(known.has(at(4))).toBe(true)
  })

  it('has commits of an answer that left out the entries', () => {
    const known = new KnownPositions()
    known.head(headAt(at(5)))
    known.commit(at(5), {
      status: 'ok',
      results: [
        { outcome: 'accepted', replayed: false, revision: 9, digest: 'd9', at: 1, previous: [] },
        { outcome: 'unchanged', replayed: false, revisions: [] },
      ],
      entries: [entryAt(at(6))],
      more: true,
    })
    expect(known.end?.position).toEqual(at(9))
    expect(known.has(at(9))).toBe(true)
  })

  it('forgets revisions that are 4,096 behind, and old entries do not displace new ones', () => {
    const known = new KnownPositions()
    known.head(headAt(at(10)))
    known.changes(at(10), changes(...Array.from({ length: 4_096 }, (_, index) => at(11 + index))))
    expect(known.has(at(10))).toBe(false)
    expect(known.has(at(11))).toBe(true)
    known.changes(at(9), changes(at(10)))
    expect(known.has(at(10))).toBe(false)
    expect(known.has(at(4_106))).toBe(true)
  })

  it('goes back with a primary that lost its newest entries', () => {
    for (const status of ['ahead', 'diverged'] as const) {
      const known = new KnownPositions()
      known.head(headAt(at(7)))
      known.changes(at(7), { status, head: headAt(at(6)) })
      expect(known.end?.position).toEqual(at(6))
      expect(known.has(at(7))).toBe(false)
    }
  })

  it('does not go back because a client asked with a position of its own', () => {
    const known = new KnownPositions()
    known.head(headAt(at(7)))
    known.changes(at(9), { status: 'ahead', head: headAt(at(6)) })
    known.changes(at(5, 'wrong'), { status: 'diverged', head: headAt(at(6)) })
    known.changes({ ...at(5), lineage: randomUUID() }, { status: 'diverged', head: headAt(at(6)) })
    expect(known.end?.position).toEqual(at(7))
    expect(known.has(at(7))).toBe(true)
  })

  it('is that of another lineage from its first answer on', () => {
    const known = new KnownPositions()
    known.head(headAt(at(7)))
    const other = { ...at(7), lineage: randomUUID() }
    known.changedHead(headAt(other, { ancestors: [lineage], floor: 3 }))
    expect(known.end).toEqual({ position: other, floor: 3 })
    expect(known.has(at(7))).toBe(false)
    expect(known.descendsFrom(lineage)).toBe(true)
    known.changes(at(7), changes(at(8)))
    expect(known.end?.position).toEqual(at(8))
    expect(known.descendsFrom(lineage)).toBe(false)
  })
})
