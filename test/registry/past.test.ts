import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { commitOf, putText } from '../conformance/build.ts'
import { etagOf } from '../support/conditional.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { writtenBy } from '../support/written-by.ts'
import { cart, errorOf, type RegistryScope, someone, withRegistry } from './with-registry.ts'

const team = writtenBy('http:team')

/** Six commits on one service: registered, changed, second stage, deregistered, registered again; and another service. */
async function live({ registry }: RegistryScope): Promise<string> {
  const { serviceId } = await registry.register({ ...cart, metadata: { team: 'a', zone: 1 } }, someone)
  await registry.register({ ...cart, tags: ['x'], metadata: { team: 'b' } }, team)
  await registry.submitMigration(serviceId, { migrationFile: { tables: ['carts'] } }, someone)
  await registry.deregister(serviceId, team)
  await registry.register({ ...cart, serviceName: 'other' }, someone)
  await registry.register(cart, someone)
  return serviceId
}

describe('history', () => {
  it('tells of what a fault made of a service without knowing its fields', () =>
    withRegistry(async ({ registry, live }) => {
      const { serviceId } = await registry.register(cart, someone)
      await live.commit(commitOf(putText(serviceId, '{"serviceName":')))
      await registry.register({ ...cart, tags: ['a'] }, someone)
      const { entries } = await registry.history(serviceId)
      expect(entries.map(({ action, changes }) => [action, changes?.length])).toEqual([
        ['updated', undefined],
        ['updated', undefined],
        ['registered', 8],
      ])
    }))

  it('tells when, who, and what changed, newest first', () =>
    withRegistry(async (scope) => {
      const serviceId = await live(scope)
      const { entries, complete, revision } = await scope.registry.history(serviceId)
      expect(entries.map(({ revision, action, actor }) => [revision, action, actor])).toEqual([
        [6, 'registered', 'test:someone'],
        [4, 'deregistered', 'http:team'],
        [3, 'updated', 'test:someone'],
        [2, 'updated', 'http:team'],
        [1, 'registered', 'test:someone'],
      ])
      expect(entries[1]?.changes).toEqual([])
      expect(entries[2]?.changes).toEqual([
        { field: 'migrationFile.tables', change: 'added', after: ['carts'] },
      ])
      expect(entries[3]?.changes).toEqual([
        { field: 'metadata.team', change: 'changed', before: 'a', after: 'b' },
        { field: 'metadata.zone', change: 'removed', before: 1 },
        { field: 'tags', change: 'changed', before: [], after: ['x'] },
      ])
      expect(entries[4]?.changes).toContainEqual({ field: 'serviceName', change: 'added', after: 'cart' })
      expect(entries[4]?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect({ complete, revision }).toEqual({ complete: true, revision: 6 })
    }))

  it.each([1, 2, 3, 4])('in pages of %i is the same, changes included', (limit) =>
    withRegistry(async (scope) => {
      const serviceId = await live(scope)
      const whole = await scope.registry.history(serviceId)
      const entries: unknown[] = []
      let before: number | undefined
      for (;;) {
        const page = await scope.registry.history(serviceId, {
          limit,
          ...(before === undefined ? {} : { before }),
        })
        expect(page.entries.length).toBeLessThanOrEqual(limit)
        entries.push(...page.entries)
        // A page that leads nowhere would lead there for ever.
        expect(entries.length).toBeLessThanOrEqual(whole.entries.length)
        if (page.next !== undefined) expect(page.entries).toHaveLength(limit)
        before = page.next
        expect(page.complete).toBe(before === undefined)
        if (before === undefined) break
      }
      expect(entries).toEqual(whole.entries)
    }),
  )

  it('names large values without repeating them', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(
        { ...cart, metadata: { big: 'x'.repeat(5_000) } },
        someone,
      )
      const { entries } = await registry.history(serviceId)
      expect(entries[0]?.changes).toContainEqual({ field: 'metadata.big', change: 'added' })
    }))

  it('says where older entries are no longer kept', () =>
    withRegistry(async (scope) => {
      const serviceId = await live(scope)
      await scope.store.compact(3)
      const { entries, complete } = await scope.registry.history(serviceId)
      expect(entries.map(({ revision }) => revision)).toEqual([6, 4, 3])
      expect(entries.at(-1)).not.toHaveProperty('changes')
      expect(complete).toBe(false)
    }))

  it('shows the hand that wrote nonsense', () =>
    withRegistry(async ({ registry, live }) => {
      const { serviceId } = await registry.register(cart, someone)
      const data = canonicalJson({ serviceName: 7, metadata: null, migrationFile: 'x' })
      const commitId = crypto.randomUUID()
      await live.commit({
        commitId,
        actor: 'sql:me',
        writes: [{ op: 'put', kind: 'service', id: serviceId, data }],
      })
      const { entries } = await registry.history(serviceId)
      expect(entries[0]).toMatchObject({ actor: 'sql:me', action: 'updated' })
      expect(entries[0]?.changes).toContainEqual({
        field: 'serviceName',
        change: 'changed',
        before: 'cart',
        after: 7,
      })
      const error = await errorOf(() => registry.get(serviceId))
      expect(error.code).toBe('COORD_SERVICE_NOT_FOUND')
      expect(error.detail).toContain('serviceName is not a text')
    }))

  it.each(['nobody', '', '\0'])('of an unknown service (%j) is 404', (serviceId) =>
    withRegistry(async ({ registry }) => {
      for (const query of [{}, { before: 5 }])
        expect(await errorOf(() => registry.history(serviceId, query))).toMatchObject({
          code: 'COORD_SERVICE_NOT_FOUND',
        })
    }),
  )

  it('before its first entry is empty', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId, revision } = await registry.register(cart, someone)
      expect(await registry.history(serviceId, { before: revision })).toMatchObject({
        entries: [],
        complete: true,
      })
    }))
})

describe('asOf', () => {
  it('shows a service at every revision as it was then', () =>
    withRegistry(async (scope) => {
      const serviceId = await live(scope)
      const at = async (revision: number) => {
        const answer = await scope.registry.getAsOf(serviceId, { revision })
        expect(answer.asOf).toBe(revision)
        return { ...JSON.parse(answer.json), etag: etagOf(answer) }
      }
      expect(await at(1)).toMatchObject({
        revision: 1,
        metadata: { team: 'a', zone: 1 },
        status: 'pending_migration',
      })
      expect(await at(2)).toMatchObject({ revision: 2, tags: ['x'] })
      expect(await at(3)).toMatchObject({
        revision: 3,
        status: 'active',
        health: 'unknown',
        lastHeartbeat: null,
      })
      for (const revision of [0, 4, 5])
        expect(await errorOf(() => at(revision))).toMatchObject({
          code: 'COORD_SERVICE_NOT_FOUND',
          extra: { revision },
        })
      expect((await at(6)).etag).toBe(etagOf(scope.registry.get(serviceId)))
    }))

  it('lists a moment, by revision and by time', async () => {
    let now = 1_000
    await withRegistry(
      async (scope) => {
        const { registry } = scope
        await registry.register(cart, someone)
        now = 2_000
        await registry.register({ ...cart, serviceName: 'a', tags: ['t'] }, someone)
        now = 3_000
        await registry.register({ ...cart, serviceName: 'b', tags: ['t'] }, someone)
        const names = async (moment: { revision: number } | { at: number }, given = {}) => {
          const { items, total, revision } = await registry.listAsOf(parseListQuery(given), moment)
          return { names: items.map((item) => JSON.parse(item).serviceName), total, revision }
        }
        expect(await names({ revision: 0 })).toEqual({ names: [], total: 0, revision: 0 })
        expect(await names({ revision: 2 })).toEqual({ names: ['a', 'cart'], total: 2, revision: 2 })
        expect(await names({ at: 2_999 })).toEqual({ names: ['a', 'cart'], total: 2, revision: 2 })
        expect(await names({ at: 3_000 }, { tag: 't' })).toEqual({ names: ['a', 'b'], total: 2, revision: 3 })
        expect(await names({ at: 3_000 }, { health: 'up' })).toEqual({ names: [], total: 0, revision: 3 })
      },
      { store: { now: () => now } },
    )
  })

  it('leaves out what the present leaves out, also what is no JSON', () =>
    withRegistry(async ({ registry, live, store }) => {
      const { serviceId } = await registry.register(cart, someone)
      await live.commit(commitOf(putText('broken', '{"serviceName":')))
      const { position } = await store.head()
      const list = await registry.listAsOf(parseListQuery({}), { revision: position.revision })
      expect(list.items).toEqual(registry.list(parseListQuery({})).items)
      expect(JSON.parse(list.items[0] as string)).toMatchObject({ serviceId })
      const broken = await errorOf(() => registry.getAsOf('broken', { revision: position.revision }))
      expect(broken.code).toBe('COORD_SERVICE_NOT_FOUND')
    }))

  it('pages through a moment with its cursor', () =>
    withRegistry(async ({ registry }) => {
      await registry.registerBatch(
        Array.from({ length: 7 }, (_, index) => ({ ...cart, serviceName: `s${index}` })),
        someone,
      )
      await registry.register({ ...cart, serviceName: 's35' }, someone)
      const names: string[] = []
      let cursor: string | undefined
      do {
        const given = { limit: '3', fields: 'serviceName', ...(cursor === undefined ? {} : { cursor }) }
        const page = await registry.listAsOf(parseListQuery(given), { revision: 7 })
        names.push(...page.items.map((item) => JSON.parse(item).serviceName))
        cursor = page.nextCursor
        expect(names.length).toBeLessThanOrEqual(page.total)
        if (cursor !== undefined) expect(page.items).toHaveLength(3)
      } while (cursor !== undefined)
      expect(names).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6'])
    }))

  it('lists twenty thousand while others get their turn, also where all of them are in memory', () =>
    withRegistry(
      async ({ registry, live }) => {
        const commits = Array.from({ length: 20_000 }, (_, index) => ({
          commitId: crypto.randomUUID(),
          actor: 'test',
          writes: [
            {
              op: 'put' as const,
              kind: 'service',
              id: `s${index}`,
              data: canonicalJson({ ...cart, tags: [] }),
            },
          ],
        }))
        await Promise.all(commits.map((commit) => live.commit(commit)))
        const moment = { revision: live.view.revision }
        for (const list of [registry.listAsOf.bind(registry), registry.listAllAsOf.bind(registry)]) {
          let turns = 0
          const timer = setInterval(() => {
            turns += 1
          }, 1)
          const { total } = await list(parseListQuery({}), moment)
          clearInterval(timer)
          expect(total).toBe(20_000)
          expect(turns).toBeGreaterThan(1)
        }
      },
      // So many commits at once take their time on a busy machine.
      { live: { commitTimeoutMs: 120_000 } },
    ))

  it('is refused beyond what is kept, and ahead of what has happened', () =>
    withRegistry(async (scope) => {
      const serviceId = await live(scope)
      await scope.store.compact(3)
      for (const [revision, code] of [
        [2, 'COORD_REVISION_COMPACTED'],
        [7, 'COORD_REVISION_FUTURE'],
      ] as const) {
        expect(await errorOf(() => scope.registry.getAsOf(serviceId, { revision }))).toMatchObject({ code })
        expect(await errorOf(() => scope.registry.listAsOf(parseListQuery({}), { revision }))).toMatchObject({
          code,
        })
      }
    }))
})
