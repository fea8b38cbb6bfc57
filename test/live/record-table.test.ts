import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordTable } from '../../src/live/view/record-table.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'

const record = (kind: string, id: string, revision: number): StoredRecord => ({
  kind,
  id,
  data: canonicalJson({ revision }),
  revision,
  createdAt: 0,
  updatedAt: revision,
})

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('service', 'node'),
    id: fc.constantFrom('a', 'b', 'c', '', '__proto__'),
    remove: fc.boolean(),
  }),
  { maxLength: 60 },
)

describe('RecordTable', () => {
  it('finds what a plain map finds, and lets every record keep its slot', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const table = new RecordTable()
        const plain = new Map<string, { readonly slot: number; readonly record: StoredRecord }>()
        for (const [at, { kind, id, remove }] of history.entries()) {
          const key = `${kind} ${id}`
          const known = plain.get(key)
          if (remove) {
            const slot = table.find(kind, id)
            expect(slot).toBe(known?.slot ?? -1)
            if (slot !== -1) table.remove({ kind, id }, slot)
            plain.delete(key)
          } else {
            const version = record(kind, id, at + 1)
            const slot = table.put(version)
            if (known !== undefined) expect(slot).toBe(known.slot)
            plain.set(key, { slot, record: version })
          }
          const slots = [...plain.values()].map(({ slot }) => slot)
          expect(new Set(slots).size).toBe(slots.length)
          for (const slot of slots) expect(slot).toBeLessThan(table.numberEnd)
          expect(table.find(kind, id)).toBe(plain.get(key)?.slot ?? -1)
          expect(table.get(kind, id)).toBe(plain.get(key)?.record)
        }
        for (const kind of ['service', 'node', 'edge']) {
          const records = [...plain.values()].flatMap((held) =>
            held.record.kind === kind ? held.record : [],
          )
          expect(table.count(kind)).toBe(records.length)
          expect(new Set(table.of(kind))).toEqual(new Set(records))
        }
      }),
    )
  })

  it('gives the slot of what went away to another record', () => {
    const table = new RecordTable()
    const slots = ['a', 'b', 'c'].map((id) => table.put(record('service', id, 1)))
    table.remove({ kind: 'service', id: 'b' }, slots[1] as number)
    expect(table.put(record('node', 'b', 2))).toBe(slots[1])
    expect(table.numberEnd).toBe(3)
    expect(table.kinds).toEqual(['service', 'node'])
  })
})
