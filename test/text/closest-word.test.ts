import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closestWord, editDistance, oneEditAway } from '../../src/text/closest-word.ts'

/** The same count, letter by letter, without what makes the other one fast. */
function plainDistance(left: string, right: string): number {
  const table = Array.from({ length: left.length + 1 }, (_, i) =>
    Array.from({ length: right.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  )
  const at = (i: number, j: number) => table[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= left.length; i += 1)
    for (let j = 1; j <= right.length; j += 1) {
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      ;(table[i] as number[])[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (left[i - 1] === right[j - 1] ? 0 : 1),
        isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
  return at(left.length, right.length)
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 14 })

describe('editDistance', () => {
  it('counts as the plain count does, and stops counting above its limit', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 6 }), (left, right, limit) => {
        const distance = plainDistance(left, right)
        expect(editDistance(left, right)).toBe(distance)
        const limited = editDistance(left, right, limit)
        if (distance <= limit) expect(limited).toBe(distance)
        else expect(limited).toBeGreaterThan(limit)
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes texts that are longer than its own rows', () => {
    expect(editDistance('a'.repeat(300), 'b'.repeat(300))).toBe(300)
    expect(editDistance(`x${'a'.repeat(300)}y`, `y${'a'.repeat(300)}x`)).toBe(2)
  })
})

describe('oneEditAway', () => {
  it('has every word of its letters that is one edit away', () => {
    fc.assert(
      fc.property(word, word, (given, other) => {
        if (given.length < 2 || other === '' || plainDistance(given, other) !== 1) return
        expect([...oneEditAway(given)]).toContain(other)
      }),
      { numRuns: 2_000 },
    )
    for (const text of oneEditAway('cart-2')) expect(plainDistance('cart-2', text)).toBeLessThan(2)
    expect([...oneEditAway('FLAGD')]).toContain('flagd')
    expect([...oneEditAway('x'.repeat(65))]).toEqual([])
  })
})

describe('closestWord', () => {
  it('finds a word with a typing error, with other case, or the given text in it', () => {
    const words = ['cart', 'checkout', 'flagd', 'Payment', 'email-service']
    expect(closestWord('flagdd', words)).toBe('flagd')
    expect(closestWord('chekcout', words)).toBe('checkout')
    expect(closestWord('payment', words)).toBe('Payment')
    expect(closestWord('email', words)).toBe('email-service')
    expect(closestWord('nothing-like-it', words)).toBeUndefined()
    expect(closestWord('x'.repeat(65), ['x'.repeat(65)])).toBeUndefined()
  })

  it('reads 10,000 names of usual length, and not many more', () => {
    let read = 0
    const names = function* () {
      for (; ; read += 1) yield read === 9_999 ? 'flagd' : `service-${read}`
    }
    expect(closestWord('flagdd', names())).toBe('flagd')
    expect(read).toBeGreaterThan(10_000)
    expect(read).toBeLessThan(15_000)
  })
})
