import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlaceIndex } from '../../src/registry/index/place-index.ts'

describe('PlaceIndex', () => {
  it('finds exactly the slots with a number, after any additions and removals', () => {
    const steps = fc.array(fc.record({ slot: fc.nat(3_000), number: fc.integer({ min: -40, max: 40 }) }), {
      minLength: 1,
      maxLength: 4_000,
      size: 'max',
    })
    fc.assert(
      fc.property(steps, (given) => {
        const numbers = new Map<number, number>()
        const index = new PlaceIndex((slot) => numbers.get(slot) as number)
        for (const { slot, number } of given) {
          if (numbers.has(slot)) {
            index.delete(slot)
            numbers.delete(slot)
          } else {
            numbers.set(slot, number)
            index.add(slot)
          }
        }
        for (let number = -41; number <= 41; number += 1) {
          const expected = [...numbers].flatMap(([slot, known]) => (known === number ? slot : []))
          expect([...index.find(number)].sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('takes no more than a thousand slots with one number, and lets the others be deleted all the same', () => {
    const index = new PlaceIndex((slot) => (slot < 5_000 ? 7 : slot))
    for (let slot = 0; slot < 6_000; slot += 1) index.add(slot)
    expect([...index.find(7)]).toHaveLength(1_000)
    for (let slot = 0; slot < 5_000; slot += 1) index.delete(slot)
    expect([...index.find(7)]).toEqual([])
    for (let slot = 5_000; slot < 6_000; slot += 1) expect([...index.find(slot)]).toEqual([slot])
  })
})
