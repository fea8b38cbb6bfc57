import { get, IncomingMessage, ServerResponse } from 'node:http'
import { connect, Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { ChangeFeed } from '../../src/http/streams/change-feed.ts'
import { EventStreams } from '../../src/http/streams/event-streams.ts'
import { WakeUps } from '../../src/http/streams/wake-ups.ts'
import { Live } from '../../src/live/live.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { turns } from '../support/turns.ts'
import { plainDomain, quick, until, withLive } from '../support/with-live.ts'
import { type ServerScope, withServer } from './with-server.ts'

const service = (serviceName: string, fields: object = {}) => ({
  serviceName,
  version: '1.0.0',
  endpoint: 'http://host:80',
  ...fields,
})

async function registerMany({ ask }: ServerScope, names: readonly string[]): Promise<void> {
  for (const name of names) expect((await ask('/register', { json: service(name) })).status).toBe(201)
}

interface Event {
  readonly id: string
  readonly event: string | undefined
  readonly data: { revision: number; writes: { op: string; data?: { serviceName?: string } }[] } | undefined
}

/** A client of the stream. */
class Follower {
  readonly events: Event[] = []
  ended = false
  text = ''
  readonly #response: IncomingMessage

  constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      this.text += chunk
      const blocks = this.text.split('\n\n')
      this.text = blocks.pop() as string
      for (const block of blocks) this.#take(block)
    })
    response.on('close', () => {
      this.ended = true
    })
    response.on('error', () => undefined)
  }

  static open(url: string, path: string, headers: Record<string, string> = {}): Promise<Follower> {
    return new Promise((resolve, reject) => {
      get(url + path, { headers: { accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
        if (response.statusCode === 200) resolve(new Follower(response))
        else reject(new Error(`status ${response.statusCode}`))
      }).on('error', reject)
    })
  }

  get revisions(): number[] {
    return this.events.flatMap(({ data }) => data?.revision ?? [])
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#response.destroy()
  }

  #take(block: string): void {
    const line = (name: string) =>
      block
        .split('\n')
        .find((text) => text.startsWith(`${name}: `))
        ?.slice(name.length + 2)
    const id = line('id')
    if (id === undefined) return
    const data = line('data')
    this.events.push({ id, event: line('event'), data: data === undefined ? undefined : JSON.parse(data) })
  }
}

const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

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

/** Two followers, one of which reads nothing for now. */
async function fastAndPaused({ url }: ServerScope): Promise<{ fast: Follower; slow: Follower }> {
  const fast = await Follower.open(url, '/changes?after=0')
  const slow = await Follower.open(url, '/changes?after=0')
  slow.pause()
  return { fast, slow }
}

/** More than systems take for a client that reads nothing. */
async function registerLarge({ ask }: ServerScope, count: number): Promise<void> {
  const fill = 'x'.repeat(15_000)
  for (let at = 0; at < count; at += 50) {
    const json = Array.from({ length: 50 }, (_, n) => service(`n${at + n}`, { metadata: { fill } }))
    expect((await ask('/register/batch', { json })).body.failed).toBe(0)
  }
}

describe('streams of the journal', () => {
  it('bring everything in order, and go on after a break with the last id, on another coordinator too', () =>
    withServer(async (scope) => {
      await registerMany(scope, ['a', 'b'])
      const follower = await Follower.open(scope.url, '/changes?after=0')
      await until(() => follower.revisions.length === 2)
      await registerMany(scope, ['c', 'd'])
      await until(() => follower.revisions.length === 4)
      expect(follower.revisions).toEqual([1, 2, 3, 4])
      const lastId = follower.events.at(-1)?.id as string
      follower.close()
      await registerMany(scope, ['e', 'f'])
      await withServer(
        async (other) => {
          const again = await Follower.open(other.url, '/changes?after=0', { 'last-event-id': lastId })
          await until(() => again.revisions.length === 2)
          await registerMany(scope, ['g'])
          await until(() => again.revisions.length === 3)
          expect(again.revisions).toEqual([5, 6, 7])
          again.close()
        },
        { inner: scope.store },
      )
    }))

  it('many readers at once, wherever they begin, all get everything once', () =>
    withServer(async (scope) => {
      await registerMany(scope, ['a', 'b', 'c'])
      const followers = await Promise.all(
        Array.from({ length: 60 }, (_, at) =>
          Follower.open(scope.url, `/changes?after=${at % 4}${at % 3 === 0 ? '&kind=service' : ''}`),
        ),
      )
      const names = Array.from({ length: 40 }, (_, at) => `n${at}`)
      await Promise.all(names.map((name) => registerMany(scope, [name])))
      await until(() => followers.every(({ revisions }) => revisions.at(-1) === 43))
      followers.forEach(({ revisions }, at) => {
        expect(revisions).toEqual(upTo((at % 4) + 1, 43))
      })
      const streams = async () =>
        /^coordinator_http_streams (\d+)$/m.exec((await scope.ask('/metrics')).text)?.[1]
      expect(await streams()).toBe('60')
      for (const follower of followers) follower.close()
      await expect.poll(streams).toBe('0')
    }))

  it('a filter leaves entries out, and their ids still move on', () =>
    withServer(async (scope) => {
      const follower = await Follower.open(scope.url, '/changes?after=0&name=b')
      await registerMany(scope, ['a', 'b', 'c'])
      await until(() => follower.events.at(-1)?.id.includes(':3:') === true)
      expect(follower.revisions).toEqual([2])
      // An id without an event: a client moves on by it, and nobody is told of anything.
      const { lineage, digest } = scope.live.view.position
      expect(follower.events.at(-1)).toEqual({
        id: `${lineage}:3:${digest}`,
        event: undefined,
        data: undefined,
      })
      follower.close()
    }))

  it('who reads slowly gets everything once, and others do not wait for it', () =>
    withServer(async (scope) => {
      const { fast, slow } = await fastAndPaused(scope)
      await registerLarge(scope, 900)
      await until(() => fast.revisions.length === 900, 10_000)
      expect(fast.revisions).toEqual(upTo(1, 900))
      slow.resume()
      await until(() => slow.revisions.length === 900, 10_000)
      expect(slow.revisions).toEqual(upTo(1, 900))
      fast.close()
      slow.close()
    }))

  it('who takes nothing is cut off, and others are not', () =>
    withServer(
      async (scope) => {
        const { fast, slow } = await fastAndPaused(scope)
        await registerLarge(scope, 900)
        await until(() => fast.revisions.length === 900, 10_000)
        await expect
          .poll(async () => (await scope.ask('/metrics')).text)
          .toContain('coordinator_http_streams_cut_total 1')
        expect([
          fast.ended,
          (await scope.ask('/metrics')).text.includes('coordinator_http_streams 1'),
        ]).toEqual([false, true])
        fast.close()
        slow.close()
      },
      { stallTimeoutMs: 500 },
    ))

  it('who went before the stream began is not counted for ever', () =>
    withLive(async ({ live }) => {
      const streams = new EventStreams(new ChangeFeed(live), { draining: new AbortController().signal })
      const response = new ServerResponse(new IncomingMessage(new Socket()))
      response.destroy()
      await streams.serve(response, { filter: {}, position: live.view.position })
      expect(streams.count).toBe(0)
    }))

  it('a burst of more than a connection holds reaches those who read', () =>
    withServer(async (scope) => {
      const follower = await Follower.open(scope.url, '/changes?after=0')
      const fill = 'x'.repeat(15_000)
      const registrations = upTo(1, 100).map((n) => service(`n${n}`, { metadata: { fill } }))
      for (let at = 0; at < 100; at += 50)
        expect(
          (await scope.ask('/register/batch', { json: registrations.slice(at, at + 50) })).body.failed,
        ).toBe(0)
      await until(() => follower.revisions.length === 100)
      expect(follower.revisions).toEqual(upTo(1, 100))
      expect(follower.ended).toBe(false)
      follower.close()
    }))

  it('a reader of a history that is over, whose connection hangs, does not change what others get', () =>
    withLive(async ({ live, store }) => {
      const feed = new ChangeFeed(live)
      const streams = new EventStreams(feed, { draining: new AbortController().signal })
      const stream = () => {
        const response = new ServerResponse(new IncomingMessage(new Socket()))
        void streams.serve(response, { filter: {}, position: live.view.position })
        return response
      }
      // Without a socket it never closes, as one whose peer takes nothing.
      const hanging = stream()
      await live.commit(commitOf(put('a')))
      const old = live.view.position
      await store.inner.fork(old)
      await until(() => live.view.lineage !== old.lineage)
      expect([hanging.writableEnded, streams.count]).toEqual([true, 0])
      const from = live.view.position
      await live.commit(commitOf(put('b')))
      await turns()
      const { entries } = await feed.after(from, 10)
      expect(entries.map(({ position }) => position)).toEqual([live.view.position])
    }))

  it('show every 15 seconds that they live, but not those that were ended; who does not take the rest is let go', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
    try {
      const live = new Live(new MemoryStore(), plainDomain, quick)
      await live.start()
      const streams = new EventStreams(new ChangeFeed(live), { draining: new AbortController().signal })
      const stream = async () => {
        const response = new ServerResponse(new IncomingMessage(new Socket()))
        const errors: string[] = []
        response.on('error', ({ message }) => errors.push(message))
        const write = vi.spyOn(response, 'write')
        await streams.serve(response, { filter: {}, position: live.view.position })
        return {
          response,
          errors,
          comments: () => write.mock.calls.filter(([text]) => text === ': still here\n\n'),
        }
      }
      const ended = await stream()
      await vi.advanceTimersByTimeAsync(15_000)
      expect(ended.comments()).toHaveLength(1)
      const { position } = live.view
      await live.store.fork(position)
      while (live.view.lineage === position.lineage) await vi.advanceTimersByTimeAsync(10)
      const reading = await stream()
      await vi.advanceTimersByTimeAsync(30_000)
      expect([ended, reading].map(({ comments, errors }) => [comments().length, errors])).toEqual([
        [1, []],
        [2, []],
      ])
      expect([ended.response.destroyed, reading.response.destroyed]).toEqual([false, false])
      await vi.advanceTimersByTimeAsync(30_000)
      expect([ended.response.destroyed, reading.response.destroyed]).toEqual([true, false])
      await live.stop()
    } finally {
      vi.useRealTimers()
    }
  })

  it('end first when the server stops', () =>
    withServer(async (scope) => {
      const follower = await Follower.open(scope.url, '/changes')
      const arrived = scope.nextRequest()
      const waiting = scope.ask('/changes?wait=30')
      await arrived
      const startedAt = performance.now()
      await scope.server.stop(5_000)
      await until(() => follower.ended)
      expect((await waiting).body.entries).toEqual([])
      expect(performance.now() - startedAt).toBeLessThan(2_000)
    }))
})
