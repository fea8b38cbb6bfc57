import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortFew } from '../../src/text/sort-few.ts'

const lengths = { maxLength: 40, size: 'max' } as const

describe('sortFew', () => {
  it('orders texts as sort does, and numbers by size, whether few or many', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 4 }), lengths), (texts) => {
        expect(sortFew([...texts])).toEqual(texts.toSorted())
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.integer(), lengths), (numbers) => {
        expect(sortFew([...numbers])).toEqual(numbers.toSorted((left, right) => left - right))
      }),
    )
  })
})
