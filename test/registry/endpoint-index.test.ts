import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EndpointIndex } from '../../src/registry/index/endpoint-index.ts'

describe('EndpointIndex', () => {
  it('finds exactly the slots with a number, after any additions and removals', () => {
    const steps = fc.array(fc.record({ slot: fc.nat(3_000), number: fc.integer({ min: -40, max: 40 }) }), {
      minLength: 1,
      maxLength: 4_000,
      size: 'max',
    })
    fc.assert(
      fc.property(steps, (given) => {
        const numbers = new Map<number, number>()
        const index = new EndpointIndex()
        for (const { slot, number } of given) {
          const known = numbers.get(slot)
          if (known !== undefined) {
            index.delete(known, slot)
            numbers.delete(slot)
          } else {
            numbers.set(slot, number)
            index.add(number, slot)
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
    const index = new EndpointIndex()
    const numberOf = (slot: number) => (slot < 5_000 ? 7 : slot)
    for (let slot = 0; slot < 6_000; slot += 1) index.add(numberOf(slot), slot)
    expect([...index.find(7)]).toHaveLength(1_000)
    for (let slot = 0; slot < 5_000; slot += 1) index.delete(numberOf(slot), slot)
    expect([...index.find(7)]).toEqual([])
    for (let slot = 5_000; slot < 6_000; slot += 1) expect([...index.find(slot)]).toEqual([slot])
  })
})
