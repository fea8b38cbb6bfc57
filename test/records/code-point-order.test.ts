import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareCodePoints } from '../../src/text/code-point-order.ts'

describe('the order of code points', () => {
  it('puts characters outside the first plane behind all others', () => {
    expect(['\u{1f600}', '\uff5e', '\ue000', 'a', '\ud7ff', ''].sort(compareCodePoints)).toEqual([
      '',
      'a',
      '\ud7ff',
      '\ue000',
      '\uff5e',
      '\u{1f600}',
    ])
  })

  it('is the order of UTF-8 bytes, which databases keep', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', '\ud7ff', '\ue000', '\u{10000}'),
        fc.string({ unit: 'binary', maxLength: 1 }),
      ),
    })
    fc.assert(
      fc.property(text, text, (left, right) => {
        const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right))
        expect(Math.sign(compareCodePoints(left, right))).toBe(bytes)
      }),
      { numRuns: 1_000 },
    )
  })
})
