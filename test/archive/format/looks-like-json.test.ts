import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endOfJson, looksLikeJson } from '../../../src/archive/format/looks-like-json.ts'
import { canonicalJson } from '../../../src/records/canonical-json.ts'

describe('stored text', () => {
  test('that is canonical JSON always looks like it, and its end is found among others', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, rest) => {
        const text = canonicalJson(value)
        expect(looksLikeJson(text)).toBe(true)
        expect(endOfJson(`[${text}${rest}`, 1)).toBe(text.length + 1)
      }),
    )
  })

  test.each([
    '',
    'text',
    '1',
    '"text"',
    '{',
    '{}}',
    '{}{}',
    '}{',
    '{"a":"b}',
    '{"a":"\\"}',
    '{"a":\n1}',
    '{"a":"\t"}',
    '{ }',
    '{not:1}',
    '{"half":"\ud800"}',
  ])('%j does not', (text) => {
    expect(looksLikeJson(text)).toBe(false)
  })
})
