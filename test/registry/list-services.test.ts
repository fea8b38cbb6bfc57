import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import type { QueryValues } from '../../src/http/reading/read-query.ts'
import type { JsonObject } from '../../src/records/canonical-json.ts'
import type { RegistrationInput } from '../../src/records/service/service.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { etagOf } from '../support/conditional.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, errorOf, type RegistryScope, someone, withRegistry } from './with-registry.ts'

type Service = JsonObject & { readonly serviceId: string; readonly serviceName: string }

const parsed = (items: readonly string[]) => items.map((item) => JSON.parse(item) as Service)

/** All pages of a list, read one after the other. */
function allPages(registry: Registry, parameters: QueryValues): Service[] {
  const services: Service[] = []
  let cursor: string | undefined
  do {
    const query = parseListQuery({ ...parameters, ...(cursor === undefined ? {} : { cursor }) })
    const page = registry.list(query)
    services.push(...parsed(page.items))
    cursor = page.nextCursor
    // A cursor that leads nowhere would lead there for ever.
    if (cursor !== undefined) expect(page.items).toHaveLength(query.limit)
    expect(services.length).toBeLessThanOrEqual(page.total)
  } while (cursor !== undefined)
  return services
}

async function streamed(stream: AsyncIterable<string>): Promise<Service[]> {
  let text = ''
  for await (const chunk of stream) {
    expect(chunk.endsWith('\n')).toBe(true)
    text += chunk
  }
  return parsed(text.split('\n').slice(0, -1))
}

/** The same question, answered in the plainest way from what was registered. */
function bruteForce(model: ReadonlyMap<string, Service>, query: QueryValues): Service[] {
  const all = (value: string | readonly string[] | undefined) =>
    value === undefined ? [] : typeof value === 'string' ? [value] : value
  const versionFits = (version: string, wanted: string) =>
    version === wanted ||
    (semver.validRange(wanted) !== null && semver.satisfies(version === '3' ? '3.0.0' : version, wanted))
  return [...model.values()]
    .filter(
      (service) =>
        (query['name'] === undefined || service.serviceName === query['name']) &&
        (query['namespace'] === undefined || service['namespace'] === query['namespace']) &&
        (query['version'] === undefined ||
          versionFits(service['version'] as string, query['version'] as string)) &&
        (query['status'] === undefined || service['status'] === query['status']) &&
        all(query['tag']).every((tag) => (service['tags'] as string[]).includes(tag)) &&
        all(query['capability']).every((it) => (service['capabilities'] as string[]).includes(it)) &&
        Object.entries(query).every(
          ([key, text]) =>
            !key.startsWith('metadata.') ||
            all(text).every((it) => {
              const value = (service['metadata'] as JsonObject)[key.slice(9)]
              return value !== undefined && typeof value !== 'object' && String(value) === it
            }),
        ),
    )
    .sort((left, right) =>
      left.serviceName === right.serviceName
        ? left.serviceId < right.serviceId
          ? -1
          : 1
        : left.serviceName < right.serviceName
          ? -1
          : 1,
    )
}

const few = (values: readonly string[], maxLength: number) =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength })
const names = ['a', 'b', 'B', 'a b', 'ä/:', '🛒', '\uffff']
const versions = ['1.0.0', '1.2.3', '2.0.0', '2.0.0-rc.1', 'v3.1.0', '2024-05', '3']
const words = ['x', 'y', 'z w', '🛒']

/** Instances of few names, so that most registrations meet an earlier one; some services without. */
const registration = fc.record(
  {
    serviceName: fc.constantFrom(...names),
    namespace: fc.constantFrom('shop', 'a', 'default'),
    version: fc.constantFrom(...versions),
    endpoint: fc.constantFrom('http://a', 'http://b', 'http://c:1/x'),
    instanceId: fc.constantFrom('i', 'j'),
    tags: few(words, 3),
    capabilities: few(words, 2),
    metadata: fc.dictionary(
      fc.constantFrom('k', 'l.m', 'long'),
      fc.oneof(fc.constantFrom<unknown>('x', '1', 1, true, null, { x: 1 }), fc.constant('y'.repeat(200))),
      { maxKeys: 3 },
    ),
  },
  { requiredKeys: ['serviceName', 'version', 'endpoint', 'tags', 'capabilities', 'metadata'] },
)

type Step =
  | { readonly kind: 'register'; readonly body: RegistrationInput }
  | { readonly kind: 'migrate' | 'remove'; readonly pick: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: registration.map((body) => ({ kind: 'register' as const, body: body as RegistrationInput })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('migrate' as const, 'remove' as const), pick: fc.nat(50) }),
  },
)

/** Up to two filters: with more of them hardly anything would match. */
const parameters = fc
  .uniqueArray(
    fc.oneof(
      fc.tuple(fc.constant('name'), fc.constantFrom(...names, 'nobody')),
      fc.tuple(
        fc.constant('version'),
        fc.constantFrom(...versions, '^1', '>=1.2', '*', '1.x || 3.x', 'latest', '>=2.0.0-a'),
      ),
      fc.tuple(fc.constant('namespace'), fc.constantFrom('default', 'shop', 'a', 'nobody')),
      fc.tuple(fc.constant('status'), fc.constantFrom('active', 'pending_migration')),
      fc.tuple(fc.constant('tag'), few(words, 2)),
      fc.tuple(fc.constant('capability'), few(words, 2)),
      fc.tuple(fc.constant('metadata.k'), fc.constantFrom('x', '1', 'true', 'null', '[object Object]', '')),
      fc.tuple(fc.constant('metadata.l.m'), fc.constantFrom('x', '1')),
      fc.tuple(fc.constant('metadata.long'), fc.constantFrom('y'.repeat(200), 'y'.repeat(199))),
    ),
    { maxLength: 2, selector: ([key]) => key },
  )
  .map((given) => Object.fromEntries(given) as QueryValues)

async function take(scope: RegistryScope, model: Map<string, Service>, given: Step): Promise<void> {
  const { registry } = scope
  const id = given.kind === 'register' ? undefined : [...model.keys()][given.pick % Math.max(1, model.size)]
  if (given.kind === 'register') {
    const { serviceId } = await registry.register(given.body, someone)
    const service = JSON.parse(registry.get(serviceId).json) as Service
    expect(service['namespace']).toBe(given.body.namespace ?? 'default')
    model.set(serviceId, service)
  } else if (id !== undefined && given.kind === 'remove') {
    await registry.deregister(id, someone)
    model.delete(id)
  } else if (id !== undefined) {
    await registry.submitMigration(id, { migrationFile: { tables: [given.kind] } }, someone)
    model.set(id, JSON.parse(registry.get(id).json) as Service)
  }
}

describe('a list', () => {
  it('agrees with a plain model after any changes, page by page, streamed, and asked of the past', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.array(parameters, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        async (steps, questions, limit) =>
          withRegistry(async (scope) => {
            const model = new Map<string, Service>()
            for (const given of steps) await take(scope, model, given)
            const { registry, live } = scope
            for (const question of questions) {
              const expected = bruteForce(model, question)
              expect(allPages(registry, { ...question, limit: String(limit) })).toEqual(expected)
              const query = parseListQuery({ ...question, limit: '1000' })
              const page = registry.list(query)
              expect(page.total).toBe(expected.length)
              expect(await streamed(registry.listAll(query))).toEqual(expected)
              const now = { revision: live.view.revision }
              const past = await registry.listAsOf(query, now)
              expect(await streamed(await registry.listAllAsOf(query, now))).toEqual(expected)
              expect(parsed(past.items)).toEqual(expected)
              expect({ ...past, etag: etagOf(past) }).toMatchObject({
                total: page.total,
                etag: etagOf(page),
                revision: page.revision,
              })
            }
            const active = [...model.values()].filter(({ status }) => status === 'active').length
            expect(registry.counts()).toEqual({ services: model.size, active })
          }),
      ),
      { numRuns: 150 },
    )
  }, 60_000)

  it('has an ETag that changes exactly when the matching services do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), parameters, async (steps, question) =>
        withRegistry(async (scope) => {
          const model = new Map<string, Service>()
          const seen = new Map<string, string>()
          for (const given of steps) {
            await take(scope, model, given)
            const matching = JSON.stringify(bruteForce(model, question))
            const etag = etagOf(scope.registry.list(parseListQuery(question)))
            expect(seen.get(etag) ?? matching).toBe(matching)
            seen.set(etag, matching)
            expect(new Set(seen.values()).size).toBe(seen.size)
          }
        }),
      ),
      { numRuns: 150 },
    )
  }, 60_000)

  it('shows every service that stays, once and in order, while others come and go between pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(registration, { minLength: 1, maxLength: 30 }),
        fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        async (first, between, limit) =>
          withRegistry(async (scope) => {
            const { registry } = scope
            const model = new Map<string, Service>()
            for (const body of first)
              await take(scope, model, { kind: 'register', body: body as RegistrationInput })
            const stayed = new Set(model.keys())
            const seen: Service[] = []
            let cursor: string | undefined
            do {
              const page = registry.list(
                parseListQuery({ limit: String(limit), ...(cursor === undefined ? {} : { cursor }) }),
              )
              seen.push(...parsed(page.items))
              cursor = page.nextCursor
              if (cursor !== undefined) expect(page.items).toHaveLength(limit)
              // No more than are there in the beginning, and come later.
              expect(seen.length).toBeLessThanOrEqual(30 + 30 * 4)
              for (const given of between.shift() ?? []) await take(scope, model, given)
              for (const id of stayed) if (!model.has(id)) stayed.delete(id)
            } while (cursor !== undefined)
            const ids = seen.map(({ serviceId }) => serviceId)
            expect(new Set(ids).size).toBe(ids.length)
            expect([...stayed].filter((id) => !ids.includes(id))).toEqual([])
            const places = seen.map(({ serviceName, serviceId }) => [serviceName, serviceId] as const)
            for (const [index, place] of places.entries()) {
              const before = places[index - 1]
              if (before !== undefined)
                expect(before[0] < place[0] || (before[0] === place[0] && before[1] < place[1])).toBe(true)
            }
          }),
      ),
      { numRuns: 150 },
    )
  }, 60_000)
})

describe('the systems of examples/data', () => {
  const load = (name: string) =>
    JSON.parse(
      readFileSync(new URL(`../../examples/data/${name}.json`, import.meta.url), 'utf8'),
    ) as RegistrationInput[]

  it('are found by name, version, tag and metadata', () =>
    withRegistry(async ({ registry }) => {
      const [demo, boutique] = [load('opentelemetry-demo'), load('online-boutique')]
      await registry.registerBatch([...demo, ...boutique], someone)
      const count = (given: QueryValues) => registry.list(parseListQuery(given)).total
      expect(demo).toHaveLength(28)
      expect(count({})).toBe(demo.length + boutique.length)
      expect(count({ 'metadata.system': 'opentelemetry-demo' })).toBe(28)
      expect(count({ 'metadata.system': 'opentelemetry-demo', version: '^3' })).toBe(
        demo.filter(({ version }) => String(version).startsWith('3.')).length,
      )
      expect(count({ tag: ['demo', 'business'], 'metadata.system': 'online-boutique' })).toBe(
        boutique.filter(({ tags }) => (tags as string[]).includes('business')).length,
      )
      expect(count({ name: 'frontend' })).toBe(2)
      expect(count({ name: 'front' })).toBe(0)
    }))
})

describe('few matches among many services', () => {
  it('come in order, page by page, with exactly those behind the cursor', () =>
    withRegistry(async ({ registry }) => {
      const services = Array.from({ length: 3_000 }, (_, index) => ({
        ...cart,
        serviceName: `s${(index * 7) % 500}`,
        endpoint: `http://host-${index}`,
        tags: index % 300 === 0 ? ['rare', 'common'] : ['common'],
      }))
      for (const start of [0, 1_000, 2_000])
        await registry.registerBatch(services.slice(start, start + 1_000), someone)
      const order = (filters: QueryValues) =>
        allPages(registry, filters).map(({ serviceName, serviceId }) => `${serviceName} ${serviceId}`)
      const rare = order({ tag: 'rare', limit: '2' })
      expect(rare).toHaveLength(10)
      expect(rare).toEqual(rare.toSorted())
      expect(order({ tag: ['rare', 'common'], limit: '3' })).toEqual(rare)
      expect(order({ tag: 'rare', limit: '1000' })).toEqual(rare)
      expect(order({ tag: 'common', limit: '700' })).toHaveLength(3_000)
      expect(order({ name: 's7', limit: '4' })).toEqual(order({ name: 's7' }))
    }))
})

describe('pages', () => {
  const fill = (registry: Registry, count: number) =>
    registry.registerBatch(
      Array.from({ length: count }, (_, index) => ({
        ...cart,
        serviceName: `s${index}`,
        tags: [`t${index % 2}`],
      })),
      someone,
    )

  it('have a cursor exactly where more follows', () =>
    withRegistry(async ({ registry }) => {
      await fill(registry, 10)
      expect(registry.list(parseListQuery({ limit: '10' })).nextCursor).toBeUndefined()
      expect(registry.list(parseListQuery({ limit: '9' })).nextCursor).toEqual(expect.any(String))
      expect(registry.list(parseListQuery({ name: 's1', limit: '1' })).nextCursor).toBeUndefined()
    }))

  it('go on behind a service that is gone meanwhile', () =>
    withRegistry(async ({ registry }) => {
      await fill(registry, 4)
      const { items, nextCursor } = registry.list(parseListQuery({ limit: '2' }))
      for (const { serviceId } of parsed(items)) await registry.deregister(serviceId, someone)
      const rest = registry.list(parseListQuery({ cursor: nextCursor as string }))
      expect(parsed(rest.items).map(({ serviceName }) => serviceName)).toEqual(['s2', 's3'])
    }))

  it('take a cursor only with the filters it came from, whatever the limit and fields', () =>
    withRegistry(async ({ registry }) => {
      await fill(registry, 10)
      const cursor = registry.list(parseListQuery({ tag: ['t1'], limit: '2' })).nextCursor as string
      expect(
        registry.list(parseListQuery({ tag: 't1', cursor, limit: '5', fields: 'version' })).items,
      ).toHaveLength(3)
      for (const other of [{}, { tag: 't0' }, { tag: ['t1', 't0'] }, { tag: 't1', name: 's1' }])
        expect(await errorOf(() => registry.list(parseListQuery({ ...other, cursor })))).toMatchObject({
          code: 'COORD_CURSOR_INVALID',
          status: 400,
        })
    }))

  it.each([
    'x',
    '????',
    'WzFd',
    `${'A'.repeat(5_000)}`,
    'bnVsbA',
    'WzEsIngiLCJ5IiwxXQ',
    'WzIsIngiLCJ5IiwieiJd',
    '%00',
  ])('refuse the cursor %s', (cursor) =>
    withRegistry(async ({ registry, live }) => {
      for (const list of [
        () => registry.list(parseListQuery({ cursor })),
        () => registry.listAsOf(parseListQuery({ cursor }), live.view.position),
      ])
        expect(await errorOf(list)).toMatchObject({ code: 'COORD_CURSOR_INVALID' })
    }),
  )

  it('show only the fields that were asked for', () =>
    withRegistry(async ({ registry }) => {
      await registry.register({ ...cart, description: 'x' }, someone)
      const [item] = registry.list(parseListQuery({ fields: 'version,serviceName,migrationFile' })).items
      expect(item).toBe('{"version":"1.0.0","serviceName":"cart"}')
      const all = parsed(registry.list(parseListQuery({})).items)
      expect(Object.keys(all[0] as Service).slice(0, 8)).toEqual([
        'serviceId',
        'id',
        'status',
        'health',
        'registeredAt',
        'updatedAt',
        'lastHeartbeat',
        'revision',
      ])
    }))
})
