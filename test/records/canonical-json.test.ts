import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/records/canonical-json.ts'

/** The canonical form of a JSON text, such as a `jsonb` value that PostgreSQL printed. */
const canonicalJsonOf = (text: string) => canonicalJson(JSON.parse(text))

/** The number whose IEEE 754 bits are these. */
function numberOf(bits: string): number {
  return new DataView(new BigUint64Array([BigInt(`0x${bits}`)]).buffer).getFloat64(0, true)
}

/** RFC 8785, appendix B: bits, and the text they must give. */
const numbers: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

describe('canonical JSON', () => {
  it.each(numbers)('writes the number with the bits %s as %s', (bits, text) => {
    expect(canonicalJson(numberOf(bits))).toBe(text)
  })

  it('writes the example of RFC 8785, section 3.2.2', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalJsonOf(input)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts keys as RFC 8785, section 3.2.3, does: by UTF-16 code units', () => {
    const input = String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`
    expect(Object.values(JSON.parse(canonicalJsonOf(input)))).toContain('One')
    expect([...canonicalJsonOf(input).matchAll(/:"([A-Z]\w+)/g)].map((match) => match[1])).toEqual([
      'Carriage',
      'One',
      'Control',
      'Latin',
      'Euro',
      'Emoji',
      'Hebrew',
    ])
  })

  it('sorts nested objects, and leaves arrays in their order', () => {
    const input =
      '{"1":{"f":{"f":"hi","F":5},"\\n":56.0},"10":{},"":"empty","a":{},"111":[{"e":"yes","E":"no"}],"A":{}}'
    expect(canonicalJsonOf(input)).toBe(
      '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}',
    )
  })

  it.each([
    ['\b\t\n\f\r', '"\\b\\t\\n\\f\\r"'],
    ['\u0000\u001f', '"\\u0000\\u001f"'],
    ['\u007f\u2028\u2029\ufeff', '"\u007f\u2028\u2029\ufeff"'],
    ['"\\/', '"\\"\\\\/"'],
    ['\u{1f600}', '"\u{1f600}"'],
    ['e\u0301', '"e\u0301"'],
  ])('escapes %j as %s, and nothing more', (text, json) => {
    expect(canonicalJson(text)).toBe(json)
  })

  it('leaves out members that are undefined, and writes null for items that are', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1], c: null })).toBe('{"a":[null,1],"c":null}')
    expect(canonicalJson({ a: undefined })).toBe('{}')
  })

  it('writes keys with a meaning to JavaScript like any other', () => {
    const input = '{"toString":1,"__proto__":{"x":2},"constructor":3}'
    expect(canonicalJsonOf(input)).toBe('{"__proto__":{"x":2},"constructor":3,"toString":1}')
  })

  it.each([
    ['NaN', Number.NaN],
    ['an infinite number', Number.NEGATIVE_INFINITY],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['undefined alone', undefined],
    ['half a surrogate pair', 'a\ud800'],
    ['half a surrogate pair in a key', { '\udc00': 1 }],
    ['half a surrogate pair deep inside', { a: [{ b: 'x\ud83d' }] }],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError)
  })

  it('writes any value so that it reads as the same value', () => {
    fc.assert(
      fc.property(json(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('writes what it has read as it was', () => {
    fc.assert(
      fc.property(json(), (value) => {
        const text = canonicalJson(value)
        expect(canonicalJsonOf(text)).toBe(text)
      }),
    )
  })

  it('does not depend on the order of keys, on white space or on how numbers are spelled', () => {
    fc.assert(
      fc.property(json(), (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(reversed(value))).toBe(text)
        expect(canonicalJsonOf(JSON.stringify(value, null, 3))).toBe(text)
      }),
    )
  })

  it('sorts the keys of every object by code units, and writes no white space of its own', () => {
    fc.assert(
      fc.property(fc.dictionary(wellFormed(), fc.constant(0)), (value) => {
        const keys = Object.keys(value).sort((a, b) => compareUnits(a, b))
        expect(canonicalJson(value)).toBe(`{${keys.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`)
      }),
    )
  })

  it('writes every number as the shortest text that reads as it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = canonicalJson(value)
        expect(Number(text)).toBe(value === 0 ? 0 : value)
        expect(text).toBe(JSON.stringify(value === 0 ? 0 : value))
      }),
    )
  })

  it('tells different values apart', () => {
    fc.assert(
      fc.property(json(), json(), (left, right) => {
        const same = canonicalJson(left) === canonicalJson(right)
        let equal = true
        try {
          expect(JSON.parse(JSON.stringify(left))).toEqual(JSON.parse(JSON.stringify(right)))
        } catch {
          equal = false
        }
        expect(same).toBe(equal)
      }),
    )
  })
})

function wellFormed(): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary' })
}

/** JSON values with any well-formed text as key and value. */
function json(): fc.Arbitrary<fc.JsonValue> {
  return fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' })
}

function reversed(value: fc.JsonValue): fc.JsonValue {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item as fc.JsonValue)]),
  )
}

function compareUnits(left: string, right: string): number {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1)
    if (left.charCodeAt(at) !== right.charCodeAt(at)) return left.charCodeAt(at) - right.charCodeAt(at)
  return left.length - right.length
}
