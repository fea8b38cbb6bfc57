import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlotMap } from '../../src/registry/slot-map.ts'

describe('SlotMap', () => {
  it('has what a Map has, after any additions and removals', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 40 })), {
      maxLength: 400,
      size: 'max',
    })
    fc.assert(
      fc.property(steps, (given) => {
        const map = new SlotMap((slot) => `id-${slot}`)
        const model = new Set<number>()
        for (const [add, slot] of given) {
          if (!add) map.delete(`id-${slot}`)
          else if (!model.has(slot)) map.add(`id-${slot}`, slot)
          if (add) model.add(slot)
          else model.delete(slot)
        }
        expect(map.size).toBe(model.size)
        for (let slot = 0; slot <= 40; slot += 1)
          expect(map.get(`id-${slot}`)).toBe(model.has(slot) ? slot : undefined)
      }),
    )
  })

  it('stays right while it grows and shrinks', () => {
    const ids = Array.from({ length: 20_000 }, (_, slot) => `${(slot * 7_919) % 20_000}`)
    const map = new SlotMap((slot) => ids[slot] as string)
    for (const [slot, id] of ids.entries()) map.add(id, slot)
    for (const [slot, id] of ids.entries()) if (slot % 3 === 0) map.delete(id)
    expect(map.size).toBe(ids.length - Math.ceil(ids.length / 3))
    for (const [slot, id] of ids.entries()) expect(map.get(id)).toBe(slot % 3 === 0 ? undefined : slot)
    for (const [slot, id] of ids.entries()) if (slot % 3 === 0) map.add(id, slot)
    for (const [slot, id] of ids.entries()) expect(map.get(id)).toBe(slot)
  })

  it('tells a slot that was given to another id from the one before', () => {
    const ids = ['first']
    const map = new SlotMap((slot) => ids[slot] as string)
    map.add('first', 0)
    map.delete('first')
    ids[0] = 'second'
    map.add('second', 0)
    expect([map.get('first'), map.get('second')]).toEqual([undefined, 0])
  })
})
