import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { ChangeFeed } from '../../src/http/streams/change-feed.ts'
import { EventStreams } from '../../src/http/streams/event-streams.ts'
import { Live } from '../../src/live/live.ts'
import { commitOf, put } from '../conformance/build.ts'
import { turns } from '../support/turns.ts'
import { plainDomain, quick, until, withLive } from '../support/with-live.ts'
import { Follower, registerMany, service, upTo } from './journal-follower.ts'
import { type ServerScope, withServer } from './with-server.ts'

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
      await until(() => fast.revisions.length === 900)
      expect(fast.revisions).toEqual(upTo(1, 900))
      slow.resume()
      await until(() => slow.revisions.length === 900)
      expect(slow.revisions).toEqual(upTo(1, 900))
      fast.close()
      slow.close()
    }))

  it('who takes nothing is cut off, and others are not', () =>
    withServer(
      async (scope) => {
        const { fast, slow } = await fastAndPaused(scope)
        await registerLarge(scope, 900)
        await until(() => fast.revisions.length === 900)
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
