import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, errorOf, type RegistryScope, someone, withRegistry } from './with-registry.ts'

const services = [
  {
    ...cart,
    serviceName: 'Payment-Gateway',
    tags: ['public'],
    metadata: { owner: 'team-checkout', region: 'EU-west' },
  },
  {
    ...cart,
    serviceName: 'ledger',
    capabilities: ['payment.refund'],
    metadata: { places: { first: ['Zürich', 7] } },
  },
  {
    ...cart,
    serviceName: 'search',
    tags: ['a"b\\c', 'straße'],
    description: 'payment',
    metadata: { cost: 12.5, beta: true },
  },
]

async function addServices({ registry }: RegistryScope): Promise<void> {
  for (const service of services) await registry.register(service, someone)
}

function namesOf(items: readonly string[]): string[] {
  return items.map((item) => (JSON.parse(item) as { readonly serviceName: string }).serviceName)
}

const searches: readonly (readonly [string, readonly string[]])[] = [
  ['payment', ['Payment-Gateway', 'ledger']],
  ['PAYMENT   eu', ['Payment-Gateway']],
  ['eu payment', ['Payment-Gateway']],
  ['team-checkout', ['Payment-Gateway']],
  ['zürich', ['ledger']],
  ['ZÜRICH 7', ['ledger']],
  ['12.5 true', ['search']],
  ['"b\\', ['search']],
  ['straße', ['search']],
  // Neither the names of members nor the rest of the registration count.
  ['owner', []],
  ['servicename', []],
  ['7070', []],
  ['.*', []],
  ['payment nothing', []],
]

describe('GET /services?q=', () => {
  it.each(searches)('finds what has the words %j', (q, found) =>
    withRegistry(async (scope) => {
      await addServices(scope)
      const query = parseListQuery({ q })
      const past = await scope.registry.listAsOf(query, { revision: 3 })
      const now = scope.registry.list(query)
      const judged = scope.registry.list(query, await scope.registry.judgeFilters(query))
      for (const answer of [now, judged, past]) {
        expect(namesOf(answer.items)).toEqual(found)
        expect(answer.total).toBe(found.length)
      }
      expect([now.digest, judged.digest]).toEqual([past.digest, past.digest])
    }),
  )

  it('counts together with the other filters, and its pages follow each other', () =>
    withRegistry(async (scope) => {
      await addServices(scope)
      const { registry } = scope
      expect(namesOf(registry.list(parseListQuery({ q: 'payment', tag: 'public' })).items)).toEqual([
        'Payment-Gateway',
      ])
      const first = registry.list(parseListQuery({ q: 'payment', limit: '1' }))
      expect([first.total, namesOf(first.items)]).toEqual([2, ['Payment-Gateway']])
      const cursor = first.nextCursor as string
      const second = registry.list(parseListQuery({ q: ' Payment ', limit: '1', cursor }))
      expect([namesOf(second.items), second.nextCursor]).toEqual([['ledger'], undefined])
      const other = await errorOf(() => registry.list(parseListQuery({ q: 'pay', limit: '1', cursor })))
      expect(other.code).toBe('COORD_CURSOR_INVALID')
    }))

  it('judges again what has changed since it began to look', () =>
    withRegistry(async (scope) => {
      await addServices(scope)
      const { registry } = scope
      const query = parseListQuery({ q: 'payment' })
      const judged = await registry.judgeFilters(query)
      await registry.register({ ...cart, serviceName: 'search', tags: ['payment'] }, someone)
      await registry.register({ ...cart, serviceName: 'ledger' }, someone)
      await registry.register({ ...cart, serviceName: 'payments' }, someone)
      expect(namesOf(registry.list(query, judged).items)).toEqual(['Payment-Gateway', 'payments', 'search'])
    }))

  it('finds every service by any part of its name, and no other by a part that none has', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom(...'aBé-.*^"\\ß'), minLength: 1, maxLength: 8 }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.string({ unit: fc.constantFrom(...'abé-.*^"\\ß'), minLength: 1, maxLength: 3 }),
        (tags, word) =>
          withRegistry(async ({ registry }) => {
            for (const [at, tag] of tags.entries())
              await registry.register({ ...cart, serviceName: `s${at}`, tags: [tag] }, someone)
            const found = namesOf(registry.list(parseListQuery({ q: word })).items)
            const expected = tags.flatMap((tag, at) => (tag.toLowerCase().includes(word) ? [`s${at}`] : []))
            expect(found).toEqual(expected)
          }),
      ),
      { numRuns: 60 },
    ))

  it.each([
    ['', 'is empty'],
    ['   ', 'has no words'],
    ['x'.repeat(257), 'has more than 256 characters'],
    [Array.from({ length: 17 }, (_, at) => `w${at}`).join(' '), 'has more than 16 words'],
  ])('refuses %j', async (q, reason) => {
    const error = await errorOf(() => parseListQuery({ q }))
    expect([error.code, JSON.stringify(error.errors)]).toEqual([
      'COORD_QUERY_INVALID',
      expect.stringContaining(reason),
    ])
  })
})
