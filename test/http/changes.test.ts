import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { WakeUps } from '../../src/http/streams/wake-ups.ts'
import { newCall } from '../conformance/build.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { until } from '../support/with-live.ts'
import { Follower, registerMany, service, upTo } from './journal-follower.ts'
import { withServer } from './with-server.ts'

describe('pages of the journal', () => {
  it('follow on each other without a gap, from a revision or a position', () =>
    withServer(async (scope) => {
      await registerMany(scope, ['a', 'b', 'c', 'd', 'e'])
      const first = await scope.ask('/changes?after=0&limit=2')
      expect(first.body).toMatchObject({ success: true, more: true, revision: 2 })
      expect(first.body.entries.map(({ revision }: { revision: number }) => revision)).toEqual([1, 2])
      expect(first.body.entries[0]).toMatchObject({
        actor: 'http:127.0.0.1',
        writes: [{ op: 'put', kind: 'service', data: { serviceName: 'a' } }],
      })
      const second = await scope.ask(`/changes?after=${first.body.next}&limit=100`)
      expect(second.body.entries.map(({ revision }: { revision: number }) => revision)).toEqual([3, 4, 5])
      expect(second.body.more).toBe(false)
      const nothing = await scope.ask(`/changes?after=${second.body.next}`)
      expect(nothing.body).toMatchObject({ entries: [], next: second.body.next, more: false })
      expect((await scope.ask('/changes')).body).toMatchObject({ entries: [], next: second.body.next })
    }))

  it('can be narrowed to kinds and names, and the position moves on all the same', () =>
    withServer(async (scope) => {
      await registerMany(scope, ['a', 'b'])
      await scope.ask('/knowledge-graph/nodes/team:t', { method: 'PUT', json: {} })
      await scope.ask('/knowledge-graph/edges/team:t,owns,service:b', { method: 'PUT', json: {} })
      const of = async (query: string) => {
        const { body } = await scope.ask(`/changes?after=0&${query}`)
        expect(body.next).toContain(':4:')
        return body.entries.map(({ revision }: { revision: number }) => revision)
      }
      expect(await of('kind=node')).toEqual([3])
      expect(await of('kind=node,edge')).toEqual([3, 4])
      expect(await of('name=a')).toEqual([1])
      expect(await of('name=team:t')).toEqual([3, 4])
      expect(await of('name=nobody')).toEqual([])
    }))

  it('wait for what comes, and no longer than they were told', () =>
    withServer(async (scope) => {
      await registerMany(scope, ['a'])
      const arrived = scope.nextRequest()
      const waiting = scope.ask('/changes?after=1&wait=10')
      await arrived
      await registerMany(scope, ['b'])
      expect((await waiting).body.entries.map(({ revision }: { revision: number }) => revision)).toEqual([2])
      using time = new GrantedTime()
      const startedAt = performance.now()
      expect((await scope.ask('/changes?after=2&wait=1&kind=node')).body.entries).toEqual([])
      expect(performance.now() - startedAt).toBeGreaterThan(900)
      expect(time.now).toBeLessThan(1_500)
    }))

  it('nothing is kept of a client that stopped waiting', () =>
    withServer(async (scope) => {
      await registerMany(scope, ['a'])
      const { wait } = WakeUps.prototype
      let waiting = 0
      vi.spyOn(WakeUps.prototype, 'wait').mockImplementation(function (this: WakeUps, wake) {
        const stop = wait.call(this, wake)
        waiting += 1
        return () => {
          waiting -= 1
          stop()
        }
      })
      const client = connect(scope.port, '127.0.0.1')
      client.write('GET /changes?wait=30 HTTP/1.1\r\nHost: x\r\n\r\n')
      await until(() => waiting === 1)
      client.destroy()
      await until(() => waiting === 0)
    }))

  it('what is older than memory comes from the store', () =>
    withServer(
      async (scope) => {
        const { body } = await scope.ask('/changes?after=0&limit=1000')
        expect(body.entries.map(({ revision }: { revision: number }) => revision)).toEqual(upTo(1, 3))
        expect(body.more).toBe(false)
        expect((await scope.ask('/changes?after=0&limit=2')).body.more).toBe(true)
        await registerMany(scope, ['a'])
        const later = await scope.ask('/changes?after=0&limit=1000')
        expect(later.body).toMatchObject({ more: true, revision: 3 })
        expect((await scope.ask(`/changes?after=${later.body.next}`)).body).toMatchObject({ more: false })
      },
      { inner: storeWith(3) },
    ))

  it.each([
    ['after=x', 400, 'COORD_QUERY_INVALID'],
    ['after=9', 400, 'COORD_REVISION_FUTURE'],
    ['limit=1001', 400, 'COORD_QUERY_INVALID'],
    ['wait=61', 400, 'COORD_QUERY_INVALID'],
    [`after=00000000-0000-4000-8000-000000000000:1:${'0'.repeat(64)}`, 412, 'COORD_LINEAGE_CHANGED'],
  ])('%s is answered %i %s', (query, status, code) =>
    withServer(async (scope) => {
      await registerMany(scope, ['a'])
      const answer = await scope.ask(`/changes?${query}`)
      expect([answer.status, answer.body.code]).toEqual([status, code])
    }),
  )

  it('below the floor the way to a snapshot is named', () =>
    withServer(async (scope) => {
      await registerMany(scope, ['a', 'b', 'c', 'd'])
      const old = (await scope.ask('/changes?after=0&limit=1')).body.next as string
      await scope.live.store.compact(3)
      await withServer(
        async (other) => {
          for (const after of ['1', old]) {
            const answer = await other.ask(`/changes?after=${after}`)
            expect([answer.status, answer.body.code, answer.body.snapshot]).toEqual([
              410,
              'COORD_REVISION_COMPACTED',
              '/snapshot',
            ])
          }
          await expect(Follower.open(other.url, `/changes?after=${old}`)).rejects.toThrow('status 410')
        },
        { inner: scope.store },
      )
    }))
})

/** A store that has a history before the coordinator starts. */
function storeWith(count: number): MemoryStore {
  const store = new MemoryStore()
  const commits = Array.from({ length: count }, (_, at) => ({
    commitId: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
    actor: 'test',
    writes: [
      { op: 'put' as const, kind: 'service', id: `s${at}`, data: JSON.stringify(service(`s${at}`)) as never },
    ],
  }))
  void store.open().then(({ position }) => store.commit(position, commits, newCall()))
  return store
}

describe('a snapshot', () => {
  it('shows one revision, however slowly it is read, and the journal goes on from its position', () =>
    withServer(async (scope) => {
      const fill = 'x'.repeat(15_000)
      const many = (from: number, to: number) =>
        scope.ask('/register/batch', {
          json: upTo(from, to).map((n) => service(`n${n}`, { metadata: { fill } })),
        })
      for (let at = 0; at < 10; at += 1) await many(at * 50 + 1, at * 50 + 50)
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        get(`${scope.url}/snapshot`, resolve).on('error', reject)
      })
      response.setEncoding('utf8').pause()
      // While most of it waits to be taken: what is there changes and goes, and something comes.
      await many(1, 20)
      for (let at = 1; at <= 20; at += 1)
        await scope.ask('/register', { json: service(`n${at + 100}`, { description: 'changed' }) })
      const { body } = await scope.ask('/services?name=n400')
      await scope.ask(`/services/${body.services[0].serviceId}`, { method: 'DELETE' })
      await many(501, 510)
      let text = ''
      for await (const chunk of response) text += chunk
      const [first, ...records] = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(first).toMatchObject({ position: { revision: 500 }, records: 500 })
      expect(records.map(({ revision }) => revision).sort((left, right) => left - right)).toEqual(
        upTo(1, 500),
      )
      const { lineage, revision, digest } = first.position
      const { entries } = (await scope.ask(`/changes?after=${lineage}:${revision}:${digest}&limit=1000`)).body
      expect(entries.map((entry: { revision: number }) => entry.revision)).toEqual(
        upTo(501, scope.live.view.revision),
      )
      expect(scope.live.view.revision).toBe(531)
    }))
})
