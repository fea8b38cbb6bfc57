import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { parseBySchema, parseRegistration } from '../../src/records/service/parse-registration.ts'
import { type Registration, registration as table } from '../../src/records/service/service.ts'
import { serviceCheck } from '../../src/records/service/service-check.ts'

const oddText = fc.oneof(
  fc.constantFrom('', ' ', '\t', '\0', 'a\0b', '\ud800', 'x\udc00', '\u{1f600}', 'é', ' a', 'a '),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.integer({ min: 45, max: 300 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 45, max: 140 }).map((length) => '\u{1f600}'.repeat(length)),
)
const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}$/)
const text = fc.oneof({ weight: 60, arbitrary: word }, { weight: 1, arbitrary: oddText })
const endpoint = fc.oneof(
  { weight: 12, arbitrary: word.map((host) => `http://${host}:80/a`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'cart:70',
      '/x',
      'http://',
      'javascript://a',
      'redis://Cache:6379/',
      'unix:///run/x.sock',
      'http://0.0.0.0:80',
      'http://u:p@h',
      'grpc://h',
      'http://[',
      'http://a b',
    ),
  },
)
const odd = fc.oneof(
  fc.constantFrom(null, undefined, true, Number.NaN, 0, -0, 1.5, 86_401, 3e20),
  fc.jsonValue(),
)
const rarely = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 150, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: odd })
const scalar = fc.oneof(text, fc.integer(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null))
const key = fc.oneof(
  { weight: 20, arbitrary: word },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '1', '', 'a\0', '\ud800') },
)
const dependency = fc.oneof(
  { weight: 20, arbitrary: text },
  fc.record({ serviceName: rarely(text), version: rarely(text), type: rarely(text) }, { requiredKeys: [] }),
  fc.record({ serviceName: text, kind: text }, { requiredKeys: ['serviceName'] }),
)
const list = <T>(item: fc.Arbitrary<T>, max: number) =>
  fc.oneof(
    { weight: 20, arbitrary: fc.array(rarely(item), { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constantFrom(max, max + 1).map((length) => Array(length).fill('x')) },
  )
const manyMembers = (max: number, value: unknown) =>
  fc
    .integer({ min: 1, max })
    .map((size) =>
      Object.fromEntries(Array.from({ length: size }, (_, at) => [`${at.toString(36)}_`, value])),
    )

const fields = {
  serviceName: rarely(text),
  version: rarely(text),
  endpoint: rarely(endpoint),
  healthCheck: rarely(
    fc.oneof(
      word.map((path) => `/${path}`),
      fc.constantFrom('x:y', 'http://h/x', ''),
    ),
  ),
  description: rarely(text),
  metadata: rarely(
    fc.oneof(
      { weight: 10, arbitrary: fc.dictionary(key, rarely(scalar), { noNullPrototype: true, maxKeys: 5 }) },
      // Near and beyond 16 KiB of JSON, by what has to be escaped and by numbers.
      { weight: 1, arbitrary: manyMembers(4, '\u0001'.repeat(1_000)) },
      { weight: 1, arbitrary: manyMembers(900, -1 / 3e300) },
    ),
  ),
  tags: rarely(list(text, 64)),
  capabilities: rarely(list(text, 64)),
  dependencies: rarely(list(dependency, 256)),
  instanceId: rarely(text),
  ttlSeconds: rarely(fc.integer({ min: 1, max: 86_400 })),
}
const usualInput = fc.record(fields, {
  requiredKeys: ['serviceName', 'version', 'endpoint'],
  noNullPrototype: true,
})
const input = fc.record(
  { ...fields, migrationFile: fc.constantFrom({}, { tables: ['t'] }, 'x'), tag: text },
  { requiredKeys: ['serviceName', 'version', 'endpoint'], noNullPrototype: true },
)

function accepted(sent: unknown): Registration | undefined {
  try {
    return parseRegistration(sent).registration
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) return undefined
    throw thrown
  }
}

describe('an accepted registration', () => {
  it('passes the check of stored services, which the view therefore leaves out for it', () => {
    const counts = { plain: 0, bySchema: 0 }
    fc.assert(
      fc.property(fc.oneof(input, usualInput), (sent) => {
        const registration = accepted(sent)
        if (registration === undefined) return
        counts[table.isPlain(sent) ? 'plain' : 'bySchema'] += 1
        expect(serviceCheck(registration)).toBeUndefined()
        expect(serviceCheck(JSON.parse(canonicalJson(registration)))).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
    expect(Math.min(counts.plain, counts.bySchema)).toBeGreaterThan(100)
  })
})

describe('the fast check of registrations', () => {
  it('takes nothing that the schema refuses, or of which it ignores a part, and reads the rest as the schema does', () => {
    let plain = 0
    fc.assert(
      fc.property(fc.oneof(input, usualInput), (sent) => {
        if (!table.isPlain(sent)) return
        plain += 1
        const bySchema = parseBySchema(sent)
        expect(bySchema.warnings.map(({ code }) => code)).not.toContain('unknown_field')
        const { registration, warnings } = parseRegistration(sent)
        expect(warnings).toEqual(bySchema.warnings)
        expect(registration).toEqual(bySchema.registration)
        expect(canonicalJson(registration)).toBe(canonicalJson(bySchema.registration))
      }),
      { numRuns: 3_000 },
    )
    // A short cut that nothing takes would pass as well.
    expect(plain).toBeGreaterThan(100)
  })

  it('is what every service of a real system takes, until it sends its migration file', () => {
    for (const file of ['opentelemetry-demo', 'online-boutique']) {
      const services = JSON.parse(readFileSync(`examples/data/${file}.json`, 'utf8')) as object[]
      for (const { migrationFile: _, ...service } of services as { migrationFile?: unknown }[])
        expect(table.isPlain(service)).toBe(true)
    }
  })

  it.each([
    [
      'an object of a class',
      Object.assign(Object.create({ inherited: 1 }), {
        serviceName: 'a',
        version: '1',
        endpoint: 'http://a',
      }),
    ],
    ['a list', []],
    ['a text', 'a'],
    ['nothing', null],
  ])('is not for %s', (_, sent) => {
    expect(table.isPlain(sent)).toBe(false)
  })
})
