import { describe, expect, it } from 'vitest'
import type { HistoryPage } from '../../src/database/store.ts'
import { commitOf, put, remove } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const slow = { pollMinMs: 600_000, pollMaxMs: 600_000 }

/** A service and a node, each with an entry, and a second coordinator's hand on the database. */
async function begin({ ask, store }: ServerScope) {
  const id = await register({ ask } as ServerScope)
  await ask('/knowledge-graph/nodes/team:a', { method: 'PUT', json: {} })
  const other = await Caller.at(store.inner)
  return { id, other }
}

const histories = [
  ['a service', (id: string) => `/services/${id}/history`],
  ['an assertion', () => '/knowledge-graph/nodes/team:a/history'],
] as const

describe('the history of a record', () => {
  it.each(histories)(
    'of %s: says the revision of what it shows, where the view has gone on since',
    (_name, path) =>
      withServer(async (scope) => {
        const { ask, store, live } = scope
        const { id, other } = await begin(scope)
        let page: HistoryPage | undefined
        store.next('history', {
          does: 'instead',
          run: async (inner, [kind, of]) => {
            page = await inner.history(kind as string, of as string)
            await other.send(commitOf(remove(id)), commitOf(remove('team:a', { kind: 'node' })))
            await live.catchUp()
            return page
          },
        })
        const { body, headers } = await ask(path(id))
        expect(live.view.revision).toBe(4)
        expect(page?.position.revision).toBe(2)
        expect(body).toMatchObject({ revision: 2, complete: true })
        expect(body.entries).toHaveLength(1)
        expect(headers.get('x-coordinator-revision')).toBe('2')
        const later = await ask(path(id))
        expect(later.body).toMatchObject({ revision: 4, complete: true })
        expect(later.body.entries).toHaveLength(2)
      }),
  )

  it.each(histories)('of %s: comes when the view has what it shows', (_name, path) =>
    withServer(
      async (scope) => {
        const { ask, live } = scope
        const { id, other } = await begin(scope)
        const data = { ...cart, healthCheck: '/h', tags: ['x'] }
        await other.send(
          commitOf(put(id, data)),
          commitOf(put('team:a', { id: 'team:a', label: 'A' }, { kind: 'node' })),
        )
        expect(live.view.revision).toBe(2)
        const { body, headers } = await ask(path(id))
        expect(body).toMatchObject({ revision: 4 })
        expect(body.entries).toHaveLength(2)
        expect(headers.get('x-coordinator-revision')).toBe('4')
        expect(live.view.revision).toBe(4)
        const now = await ask(`/services/${id}`)
        expect(now.headers.get('x-coordinator-revision')).toBe('4')
        expect(now.body.service.tags).toEqual(['x'])
      },
      { options: slow },
    ),
  )

  it('is not sent where the view does not get there: 504', () =>
    withServer(
      async (scope) => {
        const { ask, store } = scope
        const { id, other } = await begin(scope)
        await other.send(commitOf(remove(id)))
        store.always({ does: 'hang' }, 'changes')
        expect((await ask(`/services/${id}/history`)).body).toMatchObject({
          status: 504,
          code: 'COORD_REVISION_WAIT_TIMEOUT',
        })
      },
      { options: { ...slow, revisionTimeoutMs: 50 } },
    ))

  it.each(['history', 'asOf'] as const)('of another history comes with its lineage: %s', (method) =>
    withServer(
      async (scope) => {
        const { ask, store, live } = scope
        const { id } = await begin(scope)
        const { position } = live.view
        const before = position.lineage
        // A restore continues the history as another one, which descends from it.
        await store.inner.fork(position)
        const path = method === 'history' ? `/services/${id}/history` : `/services/${id}?asOf=1`
        const { status, headers } = await ask(path)
        expect(status).toBe(200)
        const { lineage } = (await store.inner.head()).position
        expect(lineage).not.toBe(before)
        expect(headers.get('x-coordinator-lineage')).toBe(lineage)
        expect(headers.get('x-coordinator-revision')).toBe(method === 'history' ? '2' : '1')
        expect(live.view.lineage).toBe(lineage)
      },
      { options: slow },
    ),
  )
})

describe('what is not there', () => {
  it.each([
    ['a service of the past', '/services/none?asOf=1', 1],
    ['a node of the past', '/knowledge-graph/nodes/team:none?asOf=1', 1],
    ['the neighbors of the past of a node', '/knowledge-graph/neighbors?of=none&asOf=1', 1],
  ])('is said with the revision at which it is not: %s', (_name, path, revision) =>
    withServer(async (scope) => {
      await begin(scope)
      const { status, body, headers } = await scope.ask(path)
      expect([status, body.revision]).toEqual([404, revision])
      expect(headers.get('x-coordinator-revision')).toBe(String(revision))
    }),
  )

  it.each([
    ['a service', '/services/00000000-0000-5000-8000-000000000000/history'],
    ['an assertion', '/knowledge-graph/nodes/team:b/history'],
  ])(
    'has no history at the revision that is named, though it may come into being at once: %s',
    (_name, path) =>
      withServer(async (scope) => {
        const { other } = await begin(scope)
        scope.store.next('history', {
          does: 'instead',
          run: async (inner, [kind, id]) => {
            const page = await inner.history(kind as string, id as string)
            await other.send(commitOf(put(id as string, { ...cart, id }, { kind: kind as string })))
            await scope.live.catchUp()
            return page
          },
        })
        const { status, headers } = await scope.ask(path)
        expect([status, headers.get('x-coordinator-revision'), scope.live.view.revision]).toEqual([
          404,
          '2',
          3,
        ])
      }),
  )
})

describe('a moment of the past that the view has not reached', () => {
  it.each([
    ['a service', (id: string) => `/services/${id}`],
    ['a list', () => '/services'],
    ['a graph', () => '/knowledge-graph'],
  ])('is shown when the view has it: %s', (_name, path) =>
    withServer(
      async (scope) => {
        const { ask, live } = scope
        const { id, other } = await begin(scope)
        await other.send(commitOf(put(id, { ...cart, healthCheck: '/h', tags: ['x'] })))
        expect(live.view.revision).toBe(2)
        const { status, headers } = await ask(`${path(id)}?asOf=3`)
        expect([status, headers.get('x-coordinator-revision')]).toEqual([200, '3'])
        expect(live.view.revision).toBe(3)
      },
      { options: { ...slow, revisionTimeoutMs: 5_000 } },
    ),
  )
})
