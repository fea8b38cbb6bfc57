import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CoordinatorError } from '../../src/errors.ts'
import { parseJsonText } from '../../src/records/check-json.ts'
import { inexactIntegers } from '../../src/records/exact-integers.ts'

const pathsOf = (text: string) => inexactIntegers(text).map(({ path }) => path)

describe('integers that a double does not hold', () => {
  it('are refused with the place of each, and not changed', () => {
    const text =
      '{"a":[1,{"b/c":9007199254740993}],"-12345678901234567":"12345678901234567", "d" : -9007199254740993 }'
    expect(() => parseJsonText(text)).toThrow(
      expect.objectContaining<Partial<CoordinatorError>>({
        code: 'COORD_NUMBER_INEXACT',
        status: 400,
        errors: [
          expect.objectContaining({ path: '/a/1/b~1c', code: 'COORD_NUMBER_INEXACT' }),
          expect.objectContaining({ path: '/d' }),
        ],
      }),
    )
  })

  it.each([
    ['9007199254740993', ['']],
    ['[9007199254740992,9007199254740993]', ['/1']],
    ['9007199254740994', []],
    ['100000000000000000000', []],
    ['123456789012345678901', ['']],
    // As JSON.stringify writes a double.
    ['123456789012345680000', []],
    ['9'.repeat(500_000), ['']],
    ['[[],{"a":[{}],"b":12345678901234567}]', ['/1/b']],
    ['{"a":"\\"12345678901234567","b":1}', []],
    ['{"12345678901234567":1}', []],
    ['0.12345678901234567890', []],
    ['1e400', []],
    ['12345678901234567e1', []],
    [`${'['.repeat(40)}12345678901234567${']'.repeat(40)}`, []],
  ])('%# are found', (text, paths) => {
    expect(pathsOf(text)).toEqual(paths)
  })

  it('are all that is found, wherever they are', () => {
    const integer = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        integer.map(String),
        fc.string().map((text) => JSON.stringify(text)),
        fc.double({ noDefaultInfinity: true, noNaN: true }).map((number) => JSON.stringify(number)),
        fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
        fc
          .uniqueArray(fc.tuple(fc.string(), tie('value')), { maxLength: 3, selector: ([key]) => key })
          .map((members) => `{${members.map(([key, text]) => `${JSON.stringify(key)} :${text}`).join(',')}}`),
      ),
    })) as { value: fc.Arbitrary<string> }
    fc.assert(
      fc.property(value, (text) => {
        // A reader that keeps every digit says what the fast one has to find.
        let inexact = 0
        JSON.parse(text, (_, read, { source = '' }: { source?: string } = {}) => {
          const isKept =
            String(read) === source || (/^-?\d+$/.test(source) && BigInt(read) === BigInt(source))
          if (typeof read === 'number' && /^-?\d+$/.test(source) && !isKept) inexact += 1
          return read
        })
        expect(pathsOf(text)).toHaveLength(inexact)
      }),
    )
  })
})
