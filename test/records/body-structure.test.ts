import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CoordinatorError } from '../../src/errors.ts'
import { checkStructure } from '../../src/records/body/body-structure.ts'

function refusal(text: string): CoordinatorError | undefined {
  try {
    checkStructure(Buffer.from(text))
    return undefined
  } catch (thrown) {
    return thrown as CoordinatorError
  }
}

const long = ' '.repeat(65_536)
const times = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at))
const objectOf = (members: number) => `{${times(members, (at) => `"${at}":1`)}}`

describe('what a body may hold at all', () => {
  it.each([
    ['32 levels', `${'['.repeat(32)}${']'.repeat(32)}${long}`, undefined],
    ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}${long}`, 'COORD_BODY_TOO_DEEP'],
    ['33 levels without an end', `${'{"a":'.repeat(33)}${long}`, 'COORD_BODY_TOO_DEEP'],
    ['an object of 10,000 members', objectOf(10_000), undefined],
    ['an object of 10,001 members', objectOf(10_001), 'COORD_BODY_TOO_LARGE'],
    ['50,000 members', `[${times(5, () => objectOf(10_000))}]`, undefined],
    ['50,001 members', `[${times(5, () => objectOf(10_000))},{"a":1}]`, 'COORD_BODY_TOO_LARGE'],
    ['25,000 objects', `[${times(25_000, () => '{}')}]`, undefined],
    ['25,001 objects', `[${times(25_001, () => '{}')}]`, 'COORD_BODY_TOO_LARGE'],
    ['131,072 values', `[${times(131_072, () => '1')}]`, undefined],
    ['131,073 values', `[${times(131_073, () => '1')}]`, 'COORD_BODY_TOO_LARGE'],
    ['brackets in texts', `["${'[{:\\"'.repeat(60_000)}"]`, undefined],
    ['more ends than beginnings', `${']'.repeat(100)}[1]${long}`, undefined],
    ['a text without an end', `"${'['.repeat(70_000)}`, undefined],
  ])('%s', (_, text, code) => {
    expect(refusal(text)?.code).toBe(code)
  })

  it('any JSON of 32 levels that is not large', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 16 }), (value) => {
        expect(refusal(JSON.stringify(value) + long)).toBeUndefined()
      }),
    )
  })
})
