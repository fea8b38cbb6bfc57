import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Store, StoreMode } from '../../src/database/store.ts'
import { toCoordinatorError } from '../../src/errors.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, idsOf, newCall, put, tokenOf } from './build.ts'
import { accepted, Caller, offTrack, recordsAsOf } from './caller.ts'
import { scoped } from './scope.ts'
import { Source } from './source.ts'

const modeNames = ['open', 'seeding', 'copy', 'frozen'] as const satisfies readonly StoreMode[]

/** Every change that an empty store allows. */
const changes = new Set([
  'open to frozen',
  'open to seeding',
  'open to copy',
  'seeding to copy',
  'seeding to open',
  'copy to seeding',
  'copy to open',
  'frozen to open',
  'frozen to copy',
])

/** The code of the error of a call; `ok` if there is none. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ok',
    (thrown: unknown) => toCoordinatorError(thrown).code,
  )
}

/** Takes an empty store from any mode into another one. */
async function enter(store: Store, mode: StoreMode): Promise<void> {
  const present = (await store.head()).mode
  if (present !== 'open') await store.setMode(present, 'open')
  if (mode !== 'open') await store.setMode('open', mode)
}

/** A store that holds a short history, in a mode. */
async function holding(store: Store, mode: StoreMode): Promise<Source> {
  const source = await Source.of([
    commitOf(put('a')),
    commitOf(put('b')),
    { ...commitOf(put('a', { v: 2 })), fingerprint: 'one' },
    commitOf(put('c')),
  ])
  await source.seedInto(store, 2)
  await source.replayInto(store, 2)
  if (mode === 'frozen') await store.setMode('seeding', 'open')
  if (mode === 'frozen') await store.setMode('open', 'frozen')
  else if (mode !== 'seeding') await store.setMode('seeding', mode)
  return source
}

const FROZEN = 'COORD_STORE_FROZEN'
const MODE = 'COORD_STORE_MODE'

/** What each call meets in each mode: `ok`, or the code of its error. The last ones change what the store holds. */
const calls: Readonly<
  Record<
    string,
    {
      readonly call: (store: Store, source: Source) => Promise<unknown>
      readonly meets: Readonly<Record<StoreMode, string>>
    }
  >
> = {
  head: { call: (store) => store.head(), meets: { open: 'ok', seeding: 'ok', copy: 'ok', frozen: 'ok' } },
  load: {
    call: (store) => Array.fromAsync(store.load()),
    meets: { open: 'ok', seeding: FROZEN, copy: 'ok', frozen: 'ok' },
  },
  asOf: {
    call: (store) => Array.fromAsync(store.asOf({ revision: 3 })),
    meets: { open: 'ok', seeding: FROZEN, copy: 'ok', frozen: 'ok' },
  },
  history: {
    call: (store) => store.history('service', 'a'),
    meets: { open: 'ok', seeding: FROZEN, copy: 'ok', frozen: 'ok' },
  },
  'changes for a follower': {
    call: (store, { caller }) => store.changes(caller.position, 10, 'follower'),
    meets: { open: 'ok', seeding: 'ok', copy: 'ok', frozen: 'ok' },
  },
  'changes for a client': {
    call: (store, { caller }) => store.changes(caller.position, 10, 'client'),
    meets: { open: 'ok', seeding: FROZEN, copy: 'ok', frozen: 'ok' },
  },
  'an empty batch': {
    call: (store, { caller }) => store.commit(caller.position, [], newCall()),
    meets: { open: 'ok', seeding: FROZEN, copy: FROZEN, frozen: FROZEN },
  },
  compact: {
    call: (store) => store.compact(3),
    meets: { open: 'ok', seeding: FROZEN, copy: FROZEN, frozen: FROZEN },
  },
  adopt: {
    call: (store) => store.adopt(randomUUID()),
    meets: { open: 'ok', seeding: FROZEN, copy: FROZEN, frozen: FROZEN },
  },
  replay: {
    call: (store, { caller }) => store.replay(caller.position, []),
    meets: { open: MODE, seeding: 'ok', copy: 'ok', frozen: MODE },
  },
  'access.load': {
    call: (store) => store.access.load(),
    meets: { open: 'ok', seeding: 'ok', copy: 'ok', frozen: 'ok' },
  },
  'access.put': {
    call: (store) => store.access.put(tokenOf('ci')),
    meets: { open: 'ok', seeding: FROZEN, copy: FROZEN, frozen: FROZEN },
  },
  'access.require': {
    call: (store) => store.access.require(),
    meets: { open: 'ok', seeding: FROZEN, copy: FROZEN, frozen: FROZEN },
  },
  'access.seed': {
    call: (store) => store.access.seed({ requiredSince: null, tokens: [] }),
    meets: { open: MODE, seeding: 'ok', copy: 'ok', frozen: MODE },
  },
  fork: {
    call: (store, { caller }) => store.fork(caller.position),
    meets: { open: 'ok', seeding: 'ok', copy: FROZEN, frozen: 'ok' },
  },
  seed: {
    call: async (store, source) => store.seed(await source.pointAt(2), []),
    meets: { open: MODE, seeding: 'ok', copy: MODE, frozen: MODE },
  },
}

/** What a store may be asked for: everything, nothing, or only reads. */
export function modes(backend: ConformanceBackend): void {
  describe(`${backend.name}: modes`, () => {
    it(
      'is open at first, and tells its mode with every head',
      scoped(backend, async ({ store, caller }) => {
        expect((await store.head()).mode).toBe('open')
        await caller.write(put('a'))
        expect((await store.setMode('open', 'frozen')).mode).toBe('frozen')
        expect(await store.head()).toMatchObject({ mode: 'frozen', position: caller.position })
        const stranger = { ...caller.position, lineage: randomUUID() }
        expect(offTrack(await store.changes(stranger, 10), 'diverged').head.mode).toBe('frozen')
        expect(await store.changes(caller.position, 10)).toMatchObject({ status: 'ok', mode: 'frozen' })
      }),
    )

    it.each(modeNames)(
      'changes from %s only to a mode that may follow, and only from the right one',
      (mode) =>
        scoped(backend, async ({ store }) => {
          for (const from of modeNames)
            for (const to of modeNames) {
              await enter(store, mode)
              const isDone = mode === from || mode === to
              const isChanged = isDone && changes.has(`${from} to ${to}`)
              expect(await outcomeOf(store.setMode(from, to)), `${from} to ${to}`).toBe(
                isChanged ? 'ok' : MODE,
              )
              expect((await store.head()).mode).toBe(isChanged ? to : mode)
            }
        })(),
    )

    it.each(['seeding', 'copy'] as const)('changes to %s only while it is empty', (mode) =>
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const head = await store.head()
        await expect(store.setMode('open', mode)).rejects.toMatchObject({ code: 'COORD_STORE_NOT_EMPTY' })
        expect(await store.head()).toEqual(head)
      })(),
    )

    it(
      'counts as empty with tokens and ancestors, and not once it was seeded, even without a record',
      scoped(backend, async ({ store, caller }) => {
        await store.access.put(tokenOf('ci'))
        await store.adopt(randomUUID())
        await store.fork(caller.position)
        expect((await store.setMode('open', 'seeding')).mode).toBe('seeding')
        const source = await Source.of([
          commitOf(put('a')),
          commitOf({ op: 'delete', kind: 'service', id: 'a' }),
        ])
        await source.seedInto(store, 2)
        await store.setMode('seeding', 'open')
        expect(await outcomeOf(store.setMode('open', 'seeding'))).toBe('COORD_STORE_NOT_EMPTY')
      }),
    )

    it.each(modeNames)('is still %s after a restart, where the store is durable', (mode) =>
      scoped(backend, async (scope) => {
        await enter(scope.store, mode)
        expect((await scope.reopen()).mode).toBe(backend.durable ? mode : 'open')
      })(),
    )

    it.each(modeNames)('answers in mode %s each call as the mode wants it', (mode) =>
      scoped(backend, async ({ store }) => {
        const source = await holding(store, mode)
        for (const [name, { call, meets }] of Object.entries(calls)) {
          const before = await store.head()
          expect(await outcomeOf(call(store, source)), name).toBe(meets[mode])
          if (meets[mode] !== 'ok') expect(await store.head(), name).toEqual(before)
        }
      })(),
    )

    it.each(['copy', 'frozen'] as const)('serves in mode %s everything that it holds', (mode) =>
      scoped(backend, async ({ store }) => {
        const source = await holding(store, mode)
        await source.expectIn(store, 2)
        expect((await store.history('service', 'a')).entries).toEqual(source.entriesAfter(2, 1))
      })(),
    )

    it(
      'lets one of two changes win that come at once',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const same = [store.setMode('open', 'frozen'), store.setMode('open', 'frozen')]
        expect((await Promise.all(same)).map(({ mode }) => mode)).toEqual(['frozen', 'frozen'])
        const rivals = await Promise.all([
          outcomeOf(store.setMode('frozen', 'open')),
          outcomeOf(store.setMode('frozen', 'copy')),
        ])
        // From `open`, a store that is not empty can no longer become a copy; a copy can no longer leave `frozen`.
        expect(rivals.toSorted()).toEqual([MODE, 'ok'])
      }),
    )

    it.each<[string, (store: Store) => AsyncIterable<unknown>]>([
      ['of all records', (store) => store.load()],
      ['of a moment', (store) => store.asOf({ revision: 20 })],
    ])('ends a reading %s when a seed begins, so that nobody takes half of it for all', (_, read) =>
      scoped(
        backend,
        async ({ store }) => {
          const source = await Source.of(idsOf('r', 20).map((id) => commitOf(put(id))))
          await source.seedInto(store, 20)
          await store.setMode('seeding', 'copy')
          const pages = read(store)[Symbol.asyncIterator]()
          expect((await pages.next()).done).toBe(false)
          await store.setMode('copy', 'seeding')
          // Some pages may have been read ahead.
          await expect(Array.fromAsync({ [Symbol.asyncIterator]: () => pages })).rejects.toMatchObject({
            code: FROZEN,
          })
        },
        { pageSize: 1 },
      )(),
    )

    it(
      'has no moment in mode seeding that anybody can read, whatever it holds',
      scoped(backend, async ({ store }) => {
        await holding(store, 'seeding')
        for (const moment of [{ revision: 2 }, { revision: 4 }, { at: Number.POSITIVE_INFINITY }])
          await expect(recordsAsOf(store, moment)).rejects.toMatchObject({ code: FROZEN, retryable: true })
        await store.setMode('seeding', 'open')
        expect((await recordsAsOf(store, { revision: 4 })).records).toHaveLength(3)
        expect(accepted(await (await Caller.at(store)).write(put('d'))).revision).toBe(5)
      }),
    )
  })
}
