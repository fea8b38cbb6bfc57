import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CoordinatorError, ErrorCode } from '../../src/errors.ts'
import { checkJsonValue, jsonPointer, jsonProblems, notJson } from '../../src/records/body/check-json.ts'
import { canonicalJson, type JsonValue } from '../../src/records/canonical-json.ts'
import { closestWord, editDistance } from '../../src/text/closest-word.ts'

/** Reads a text as JSON that every database can store, as bodies are read. */
function checkJsonText(text: string): JsonValue {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    throw notJson(thrown)
  }
  checkJsonValue(value)
  return value
}

function refusal(text: string): CoordinatorError {
  try {
    checkJsonText(text)
  } catch (thrown) {
    return thrown as CoordinatorError
  }
  throw new Error('it was accepted')
}

function holdsLargeNumber(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsLargeNumber)
}

describe('checkJsonText', () => {
  it('gives back every value that all databases can store', () => {
    const storable = fc.jsonValue({ maxDepth: 8, stringUnit: 'grapheme' }).filter((value) => {
      const text = JSON.stringify(value)
      return !text.includes('\\u0000') && !/"__proto__":/.test(text) && !holdsLargeNumber(value)
    })
    fc.assert(
      fc.property(storable, (value) => {
        expect(canonicalJson(checkJsonText(JSON.stringify(value)))).toBe(canonicalJson(value))
      }),
    )
  })

  it.each<[text: string, code: ErrorCode, path: string]>([
    ['"\\u0000"', 'COORD_TEXT_NUL', ''],
    ['{"a":["\\ud83d"]}', 'COORD_TEXT_SURROGATE', '/a/0'],
    ['{"a":{"__proto__":1}}', 'COORD_KEY_FORBIDDEN', '/a'],
    ['[{"__proto__":{}}]', 'COORD_KEY_FORBIDDEN', '/0'],
    ['{"a":1e999}', 'COORD_BODY_WRONG_TYPE', '/a'],
    ['{"a":9007199254740993}', 'COORD_NUMBER_TOO_LARGE', '/a'],
    ['{"a":[0,-9007199254740993]}', 'COORD_NUMBER_TOO_LARGE', '/a/1'],
    ['{"a":9007199254740992}', 'COORD_NUMBER_TOO_LARGE', '/a'],
    ['{"a":340282366920938463463374607431768211455}', 'COORD_NUMBER_TOO_LARGE', '/a'],
    ['{"a":12345678901234567890.5}', 'COORD_NUMBER_TOO_LARGE', '/a'],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 'COORD_BODY_TOO_DEEP', '/0'.repeat(32)],
    [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, 'COORD_BODY_TOO_DEEP', '/0'.repeat(32)],
  ])('refuses %#', (text, code, path) => {
    expect(refusal(text)).toMatchObject({ code, errors: [{ path, code }] })
  })

  it.each(['9007199254740991', '-9007199254740991', '0', '-1.5', '1e-300', '1e15'])(
    'takes %s as it is',
    (text) => {
      expect(Number(canonicalJson(checkJsonText(text)))).toBe(Number(text))
    },
  )

  it('takes 32 levels', () => {
    expect(() => checkJsonText(`${'['.repeat(32)}${']'.repeat(32)}`)).not.toThrow()
  })

  it.each(['', '{', '{"password":"canary-secret"', '{"a":canary-secret}', 'undefined', '[1,]'])(
    'refuses what is not JSON (%j) without repeating it',
    (text) => {
      const error = refusal(text)
      expect(error.code).toBe('COORD_BODY_NOT_JSON')
      expect(JSON.stringify([error.message, error.detail, error.errors, error.cause])).not.toContain('canary')
    },
  )

  it('finds a fault wherever it is, and no fault where there is none', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withSet: true, maxDepth: 4 }), (value) => {
        const problems = jsonProblems(value)
        if (problems.length > 0) return
        // What passes can be written as JSON and read back as the same.
        checkJsonValue(value)
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value))
      }),
    )
  })

  it('ends on an object that holds itself', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(jsonProblems(loop)[0]?.code).toBe('COORD_BODY_TOO_DEEP')
  })
})

describe('jsonPointer', () => {
  it('escapes what RFC 6901 says', () => {
    expect(jsonPointer([])).toBe('')
    expect(jsonPointer(['a/b', 0, 'm~n', ''])).toBe('/a~1b/0/m~0n/')
  })
})

describe('closestWord', () => {
  const words = ['serviceName', 'version', 'endpoint', 'tags', 'tag']

  it.each([
    ['versoin', 'version'],
    ['VERSION', 'version'],
    ['endpont', 'endpoint'],
    ['taks', 'tags'],
    ['tag', 'tag'],
    ['name', 'serviceName'],
    ['colour', undefined],
    ['x', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('%j: %s', (given, word) => {
    expect(closestWord(given, words)).toBe(word)
  })

  it('counts the distance as letters added, removed, replaced and swapped', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('ab', 'ba')).toBe(1)
    expect(editDistance('', 'abc')).toBe(3)
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (left, right) => {
        expect(editDistance(left, right)).toBe(editDistance(right, left))
        expect(editDistance(left, right) === 0).toBe(left === right)
        expect(editDistance(left, right)).toBeLessThanOrEqual(Math.max(left.length, right.length))
      }),
    )
  })
})
