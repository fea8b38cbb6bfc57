import { describe, expect, it, vi } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { positionText } from '../../src/http/answering/shown-entry.ts'
import { commitOf, put } from '../conformance/build.ts'
import { until } from '../support/with-live.ts'
import { Follower, registerMany, upTo } from './journal-follower.ts'
import { bearer, withAccess } from './with-access.ts'
import { type ServerScope, withServer } from './with-server.ts'

const accept = 'text/event-stream'

/** A store with that many services, each in a commit of its own, and the text of the position after the first. */
async function filledStore(count: number): Promise<{ inner: MemoryStore; first: string }> {
  const inner = new MemoryStore()
  let first = ''
  await withServer(
    async (scope) => {
      for (const n of upTo(1, count)) {
        await registerMany(scope, [`s${n}`])
        first ||= positionText(scope.live.view.position)
      }
    },
    { inner },
  )
  return { inner, first }
}

/** Runs a test with a coordinator that loads until the test lets it go on. */
async function whileLoading(
  inner: MemoryStore,
  body: (scope: ServerScope, finish: () => Promise<void>) => Promise<void>,
  setup: Parameters<typeof withServer>[1] = {},
): Promise<void> {
  await withServer(
    async (scope) => {
      const { promise: mayLoad, resolve } = Promise.withResolvers<void>()
      scope.store.next('load', { does: 'wait', for: mayLoad })
      const started = scope.live.start()
      await until(() => scope.live.status.state === 'loading')
      await body(scope, () => {
        resolve()
        return started
      })
      resolve()
    },
    { inner, started: false, ...setup },
  )
}

describe('streams of the journal while the coordinator loads', () => {
  it('answer 200 and comments, and then bring their entries, wherever they begin', async () => {
    const { inner, first } = await filledStore(3)
    await whileLoading(inner, async (scope, finish) => {
      const all = await Follower.open(scope.url, '/changes?after=0')
      const rest = await Follower.open(scope.url, '/changes?after=0', { 'last-event-id': first })
      const later = await Follower.open(scope.url, '/changes')
      await until(() => later.comments.length > 0)
      expect(later.comments).toEqual([
        'waiting, COORD_NOT_LOADED: The coordinator is loading. 0 records have arrived.',
      ])
      expect([all, rest, later].map(({ retry }) => retry)).toEqual([1_000, 1_000, 1_000])
      expect((await scope.ask('/changes?after=0')).status).toBe(503)
      expect((await scope.ask('/metrics')).text).toMatch(/^coordinator_http_streams 3$/m)
      await finish()
      await until(() => later.comments.length > 1)
      expect(later.comments[1]).toBe(`from ${positionText(scope.live.view.position)}`)
      await registerMany(scope, ['s4'])
      await until(() => [all, rest, later].every(({ revisions }) => revisions.at(-1) === 4))
      expect([all.revisions, rest.revisions, later.revisions]).toEqual([[1, 2, 3, 4], [2, 3, 4], [4]])
      expect((await scope.ask('/metrics')).text).toMatch(/^coordinator_http_streams 3$/m)
      for (const follower of [all, rest, later]) follower.close()
    })
  })

  it('all begin when it is loaded, however many they are', async () => {
    const { inner } = await filledStore(3)
    await whileLoading(inner, async (scope, finish) => {
      const followers = await Promise.all(
        Array.from({ length: 150 }, (_, at) => Follower.open(scope.url, `/changes?after=${at % 4}`)),
      )
      await finish()
      await registerMany(scope, ['s4'])
      await until(() => followers.every(({ revisions }) => revisions.at(-1) === 4))
      followers.forEach(({ revisions }, at) => {
        expect(revisions).toEqual(upTo((at % 4) + 1, 4))
      })
      // The store was asked once for each position, and not for each stream.
      expect(scope.store.callsOf('asOf').length).toBeLessThanOrEqual(3)
      for (const follower of followers) follower.close()
    })
  })

  it.each<[what: string, path: string, headers: Record<string, string>, status: number]>([
    [
      'a position of another history',
      '/changes',
      { 'last-event-id': `${crypto.randomUUID()}:1:${'0'.repeat(64)}` },
      412,
    ],
    ['another history by header', '/changes', { 'x-coordinator-lineage': crypto.randomUUID() }, 412],
    ['what is no longer kept', '/changes?after=1', {}, 410],
    ['a revision that was never reached', '/changes?after=99', {}, 400],
  ])(
    'end for %s when it is loaded, and the next request gets the error',
    async (_, path, headers, status) => {
      const { inner } = await filledStore(4)
      await inner.compact(3)
      await whileLoading(inner, async (scope, finish) => {
        const follower = await Follower.open(scope.url, path, headers)
        await finish()
        await until(() => follower.ended)
        expect(follower.events).toEqual([])
        await expect(Follower.open(scope.url, path, headers)).rejects.toThrow(`status ${status}`)
      })
    },
  )

  it('take no malformed request', () =>
    whileLoading(new MemoryStore(), async (scope) => {
      await expect(Follower.open(scope.url, '/changes?after=x')).rejects.toThrow('status 400')
      await expect(Follower.open(scope.url, '/changes', { 'last-event-id': 'x' })).rejects.toThrow(
        'status 400',
      )
      const head = await scope.ask('/changes', { method: 'HEAD', headers: { accept } })
      expect([head.status, head.headers.get('x-coordinator-revision'), head.text]).toEqual([200, null, ''])
      expect((await scope.ask('/metrics')).text).toMatch(/^coordinator_http_streams 0$/m)
    }))

  it('count for the limit of their client, until they close', () =>
    whileLoading(
      new MemoryStore(),
      async (scope) => {
        const follower = await Follower.open(scope.url, '/changes')
        await expect(Follower.open(scope.url, '/changes')).rejects.toThrow('status 429')
        follower.close()
        await expect
          .poll(async () => (await scope.ask('/metrics')).text)
          .toMatch(/^coordinator_http_streams 0$/m)
        const next = await Follower.open(scope.url, '/changes')
        next.close()
      },
      { settings: { limitStreams: 1 } },
    ))

  it('end when the server stops', () =>
    whileLoading(new MemoryStore(), async (scope) => {
      const follower = await Follower.open(scope.url, '/changes')
      await scope.server.stop(1_000)
      await until(() => follower.ended)
    }))

  it('show every 15 seconds that they live', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      await whileLoading(new MemoryStore(), async (scope, finish) => {
        const follower = await Follower.open(scope.url, '/changes')
        await vi.advanceTimersByTimeAsync(30_000)
        await until(() => follower.comments.length === 3)
        await finish()
        await until(() => follower.comments.length === 4)
        follower.close()
      })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('streams of the journal that cannot begin for a while', () => {
  it('wait for the database where their entries are in it only', async () => {
    const { inner } = await filledStore(3)
    await withServer(
      async (scope) => {
        scope.store.outage()
        const follower = await Follower.open(scope.url, '/changes?after=1')
        await until(() => follower.comments.length > 0)
        expect(follower.comments[0]).toMatch(/^waiting, COORD_STORE_UNAVAILABLE: /)
        expect((await scope.ask('/changes?after=1')).status).toBe(503)
        scope.store.heal()
        await until(() => follower.revisions.length === 2)
        expect(follower.revisions).toEqual([2, 3])
        follower.close()
      },
      { inner },
    )
  })

  it('wait for a position that this coordinator has not reached', async () => {
    const { inner } = await filledStore(1)
    await withServer(
      async (other) => {
        await withServer(
          async (scope) => {
            // It hears of nothing new.
            scope.store.always({ does: 'hang' }, 'changes', 'head')
            await registerMany(other, ['s2'])
            const ahead = positionText(other.live.view.position)
            const follower = await Follower.open(scope.url, '/changes', { 'last-event-id': ahead })
            await until(() => follower.comments.length > 0)
            expect(follower.comments[0]).toMatch(/^waiting, COORD_REVISION_WAIT_TIMEOUT: /)
            scope.store.heal()
            scope.store.release()
            await registerMany(other, ['s3'])
            await until(() => follower.revisions.length === 1)
            expect(follower.revisions).toEqual([3])
            follower.close()
          },
          { inner },
        )
      },
      { inner },
    )
  })
})

describe('streams of the journal that wait, where credentials are demanded', () => {
  it('are opened for callers with their scope only, and end with the credential', () =>
    withAccess(
      async (scope) => {
        const { live, url, access } = scope
        const { token: narrow } = await scope.tokenWith(['register:cart'])
        const { token, id } = await scope.tokenWith(['read'])
        expect(live.loaded).toBe(false)
        await expect(Follower.open(url, '/changes')).rejects.toThrow('status 401')
        await expect(Follower.open(url, '/changes', bearer(narrow))).rejects.toThrow('status 403')
        const follower = await Follower.open(url, '/changes', bearer(token))
        await until(() => follower.comments.length > 0)
        await access.revokeToken(id, 'test')
        await until(() => follower.ended)
        await expect(Follower.open(url, '/changes', bearer(token))).rejects.toThrow('status 401')
      },
      { started: false },
    ))
})

describe('streams of the journal whose credential cannot be checked yet', () => {
  /** Runs a test with a coordinator that knows no tokens until the test lets it read them. */
  async function beforeTokens(
    body: (
      scope: ServerScope,
      about: { readonly token: string; readonly narrow: string; readonly read: () => Promise<void> },
    ) => Promise<void>,
  ): Promise<void> {
    const inner = new MemoryStore()
    const first = new Access({ mode: 'required', store: inner.access })
    await first.start()
    const tokenWith = async (name: string, scope: string) =>
      (await first.createToken({ name, scopes: [scope], expiresAt: null }, 'test')).token
    const tokens = { token: await tokenWith('a', 'read'), narrow: await tokenWith('b', 'register:cart') }
    first.stop()
    const { promise: mayRead, resolve } = Promise.withResolvers<void>()
    const store = Object.assign(Object.create(inner.access), {
      load: () => mayRead.then(() => inner.access.load()),
    })
    const access = new Access({ mode: 'required', store })
    const started = access.start()
    try {
      await withServer(
        (scope) =>
          body(scope, {
            ...tokens,
            read() {
              resolve()
              return started
            },
          }),
        { inner, access },
      )
    } finally {
      access.stop()
      resolve()
    }
  }

  it('wait for the tokens of the database, and get their entries, or what is wrong with the credential', () =>
    beforeTokens(async (scope, { token, narrow, read }) => {
      const open = (text: string) => Follower.open(scope.url, '/changes?after=0', bearer(text))
      const arrived = scope.nextRequest()
      const followed = open(token)
      const denied = expect(open(narrow)).rejects.toThrow('status 403')
      const unknown = expect(open(`${token.slice(0, -1)}x`)).rejects.toThrow('status 401')
      await arrived
      // Others do not wait, and neither does whoever sends no credential.
      const { status, body } = await scope.ask('/changes', { headers: bearer(token) })
      expect([status, body.code]).toEqual([503, 'COORD_AUTH_UNAVAILABLE'])
      await expect(Follower.open(scope.url, '/changes')).rejects.toThrow('status 401')
      await read()
      await Promise.all([denied, unknown])
      const follower = await followed
      await scope.live.commit(commitOf(put('a')))
      await until(() => follower.revisions.length === 1)
      follower.close()
    }))

  it('end when the server stops', () =>
    beforeTokens(async (scope, { token }) => {
      const arrived = scope.nextRequest()
      const refused = expect(Follower.open(scope.url, '/changes', bearer(token))).rejects.toThrow(
        'status 503',
      )
      await arrived
      const startedAt = performance.now()
      await scope.server.stop(10_000)
      await refused
      expect(performance.now() - startedAt).toBeLessThan(5_000)
    }))
})
