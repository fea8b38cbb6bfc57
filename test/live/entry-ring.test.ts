import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { EntryRing } from '../../src/live/following/entry-ring.ts'
import { View } from '../../src/live/view/view.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Entry, Position } from '../../src/records/record.ts'
import { plainDomain } from '../support/with-live.ts'

const start: Position = { lineage: 'l', revision: 0, digest: 'l' }

function ringOf(options: ConstructorParameters<typeof EntryRing>[0]): EntryRing {
  const ring = new EntryRing(options)
  ring.replaced(new View(plainDomain, start, 0))
  return ring
}

function entry(revision: number, size = 10): Entry {
  const data = canonicalJson({ text: 'x'.repeat(size) })
  const writes = [{ op: 'put', kind: 'service', id: 'a', data }] as const
  return { revision, commitId: `c${revision}`, at: 0, actor: 'test', writes, digest: `d${revision}` }
}

function revisionsOf(entries: readonly Entry[] | undefined): readonly number[] | undefined {
  return entries?.map(({ revision }) => revision)
}

describe('the newest entries in memory', () => {
  it('are at most so many, and say where they begin', () => {
    const ring = ringOf({ maxEntries: 5 })
    for (let revision = 1; revision <= 23; revision += 1) {
      ring.entry(entry(revision))
      const first = Math.max(0, revision - 5)
      expect(ring.base).toEqual({ ...start, revision: first, digest: first === 0 ? 'l' : `d${first}` })
      expect(ring.head).toEqual({ ...start, revision, digest: `d${revision}` })
      expect(revisionsOf(ring.after(first))).toEqual(
        Array.from({ length: revision - first }, (_, index) => first + 1 + index),
      )
      expect(revisionsOf(ring.after(revision - 1, 1))).toEqual([revision])
      expect(ring.after(revision)).toEqual([])
      if (first > 0) expect([ring.after(first - 1), ring.digestOf(first - 1)]).toEqual([undefined, undefined])
      expect(ring.digestOf(first)).toBe(first === 0 ? 'l' : `d${first}`)
      expect(ring.digestOf(revision)).toBe(`d${revision}`)
    }
  })

  it('have at most so much content: one that is larger alone is forgotten at once', () => {
    const ring = ringOf({ maxSize: 5_000 })
    for (let revision = 1; revision <= 9; revision += 1) ring.entry(entry(revision, 1_000))
    expect(revisionsOf(ring.after(5))).toEqual([6, 7, 8, 9])
    ring.entry(entry(10, 6_000))
    expect(ring.base).toEqual({ ...start, revision: 10, digest: 'd10' })
    expect(ring.head).toEqual(ring.base)
    ring.entry(entry(11))
    expect(revisionsOf(ring.after(10))).toEqual([11])
  })

  it('are all that it holds: large ones that were forgotten do not pile up behind them', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const ring = ringOf({ maxSize: 10_000 })
    const made: WeakRef<Entry>[] = []
    for (let revision = 1; revision <= 500; revision += 1) {
      const next = entry(revision, 1_000)
      made.push(new WeakRef(next))
      ring.entry(next)
    }
    await turn()
    collect()
    const held = made.filter((reference) => reference.deref() !== undefined).length
    expect(ring.after(492)).toHaveLength(8)
    expect(held).toBeLessThanOrEqual(2 * 8 + 1)
  })
})
