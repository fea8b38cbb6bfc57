import { describe, expect, it } from 'vitest'
import { copyStore } from '../../../src/archive/move/copy-store.ts'
import { cutover } from '../../../src/archive/move/cutover.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { CoordinatorError } from '../../../src/errors.ts'
import { put, tokenOf } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { until } from '../../support/with-live.ts'
import { dying, Fate, Killed } from './dying-store.ts'
import { moving } from './moving.ts'
import { expectSame, fill, numbers } from './random-source.ts'

describe('a copy', () => {
  it.each([1, 2, 3, 4, 5])(
    'has the same records at every revision, the same journal and the same tokens (seed %i)',
    async (seed) => {
      const [from, to] = [new MemoryStore({ pageSize: 3 }), new MemoryStore()]
      await fill(from, { seed, floor: seed === 1 ? 0 : 20 + seed })
      const report = await copyStore(moving(from, to))
      const { position, floor } = await from.head()
      expect(report).toMatchObject({ ended: 'complete', seeded: true, tokens: 2, floor, ...pick(position) })
      expect((await to.head()).mode).toBe('copy')
      await expectSame(from, to)
      // The first moment that can be asked for by its time is the same, too.
      for (const at of await timesOf(from)) expect(await revisionAt(to, at)).toBe(await revisionAt(from, at))
    },
  )

  it('of an empty store is empty, and follows it', async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()]
    expect(await copyStore(moving(from, to))).toMatchObject({ revision: 0, seeded: true })
    await fill(from, { floor: 0 })
    expect(await copyStore(moving(from, to))).toMatchObject({ seeded: false })
    await expectSame(from, to)
  })

  it('of a history with several lineages keeps them', async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()]
    await fill(from)
    await from.fork((await from.head()).position)
    await fill(from, { seed: 2, floor: 0 })
    await copyStore(moving(from, to))
    await expectSame(from, to)
    expect((await to.head()).ancestors).toHaveLength(1)
  })

  it('goes on from what it has', async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()]
    await fill(from)
    await copyStore(moving(from, to))
    const caller = await Caller.at(from)
    for (const id of ['a', 'b']) await caller.write(put(id))
    await from.access.revoke(tokenOf('kept').id, 'somebody')
    expect(await copyStore(moving(from, to))).toMatchObject({ seeded: false, ended: 'complete' })
    await expectSame(from, to)
  })

  it('begins again if the source has forgotten what it lacks, or has forked', async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()]
    await fill(from)
    await copyStore(moving(from, to))
    const caller = await Caller.at(from)
    for (const id of ['a', 'b', 'c']) await caller.write(put(id))
    await from.compact(caller.position.revision - 1)
    expect(await copyStore(moving(from, to))).toMatchObject({ seeded: true })
    await expectSame(from, to)
    await from.fork((await from.head()).position)
    expect(await copyStore(moving(from, to))).toMatchObject({ seeded: true })
    await expectSame(from, to)
    expect(await copyStore({ ...moving(from, to), again: true })).toMatchObject({ seeded: true })
    await expectSame(from, to)
  })

  it('ends although the source forgets the moment again and again while it is read', async () => {
    const [from, to] = [new MemoryStore({ pageSize: 1 }), new MemoryStore()]
    await fill(from, { count: 200, floor: 10 })
    let asked = 0
    const forgetful = new Proxy(from, {
      get: (target, name) => {
        if (name === 'asOf')
          return async function* (...args: Parameters<MemoryStore['asOf']>) {
            for await (const page of target.asOf(...args)) {
              yield page
              asked += 1
              if (asked % 4 === 0) await target.compact((await target.head()).floor + 1)
            }
          }
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    await copyStore(moving(forgetful, to))
    // It soon begins at a younger moment, instead of losing every race for the oldest one.
    expect(asked).toBeLessThan(150)
    await expectSame(from, to)
  })

  it('follows entries and tokens until the target is opened', async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()]
    await fill(from)
    const copying = copyStore({ ...moving(from, to), follow: true, pollMs: 5 })
    await reached(from, to)
    const caller = await Caller.at(from)
    await caller.write(put('later'))
    await from.access.put(tokenOf('later'))
    await reached(from, to)
    await until(() => tokensOf(to).includes('later'))
    await expectSame(from, to)
    await to.setMode('copy', 'open')
    expect(await copying).toMatchObject({ ended: 'opened', seeded: true })
  })

  it('that follows ends in order when it is told to', async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()]
    await fill(from)
    const stop = new AbortController()
    const patience = { patienceMs: 1_000, signal: stop.signal }
    const copying = copyStore({ ...moving(from, to, { patience }), follow: true, pollMs: 5 })
    await reached(from, to)
    stop.abort(new Error('told to end'))
    expect(await copying).toMatchObject({ ended: 'interrupted' })
  })

  it.each([false, true])(
    'that is killed at any call (done by the store: %s) goes on when it is run again',
    async (afterwards) => {
      const from = new MemoryStore({ pageSize: 2 })
      await fill(from, { count: 40 })
      for (let dieAt = 1, died = true; died; dieAt += 1) {
        const to = new MemoryStore()
        const fate = new Fate(dieAt, { afterwards })
        const copying = copyStore(moving(dying(from, fate), dying(to, fate)))
        died = await copying.then(
          () => false,
          (thrown) => thrown instanceof Killed,
        )
        // Half of a copy never looks like a whole one.
        const { mode, position } = await to.head()
        if (died && mode === 'copy')
          expect(position.revision).toBeGreaterThanOrEqual((await from.head()).floor)
        if (mode === 'seeding')
          await expect(Array.fromAsync(to.load())).rejects.toMatchObject({ code: 'COORD_STORE_FROZEN' })
        await copyStore(moving(from, to))
        await expectSame(from, to)
        expect(dieAt).toBeLessThan(300)
      }
    },
  )

  it.each([1, 2, 3])('goes on through faults of both databases that pass (seed %i)', async (seed) => {
    const [from, to] = [new MemoryStore({ pageSize: 10 }), new MemoryStore()]
    await fill(from, { seed })
    const next = numbers(seed)
    const faults = { met: 0 }
    const flaky = (store: MemoryStore) =>
      dying(store, {
        meet: async <T>(run: () => Promise<T>): Promise<T> => {
          const chance = next(10)
          // Before or after the store did it: a lost reply may be one of a call that took effect.
          if (chance === 0) throw passing(faults)
          const result = await run()
          if (chance === 1) throw passing(faults)
          return result
        },
      })
    await copyStore(moving(flaky(from), flaky(to)))
    await (await Caller.at(from)).write(put('later'))
    await cutover(moving(flaky(from), flaky(to)))
    expect(faults.met).toBeGreaterThan(2)
    expect([(await from.head()).mode, (await to.head()).mode]).toEqual(['frozen', 'open'])
    await expectSame(from, to)
  })

  it('refuses a target with another history, a target that takes writes, and a source that is a copy', async () => {
    const [from, to, other] = [new MemoryStore(), new MemoryStore(), new MemoryStore()]
    await fill(from)
    await fill(other, { seed: 9 })
    await expect(copyStore(moving(from, other))).rejects.toMatchObject({ code: 'COORD_STORE_NOT_EMPTY' })
    expect((await other.head()).mode).toBe('open')
    await other.setMode('open', 'frozen')
    await expect(copyStore(moving(from, other))).rejects.toMatchObject({ code: 'COORD_STORE_NOT_EMPTY' })
    expect((await other.head()).mode).toBe('frozen')
    await other.setMode('frozen', 'open')
    await copyStore(moving(from, to))
    await expect(copyStore(moving(other, to))).rejects.toMatchObject({ code: 'COORD_STORE_NOT_EMPTY' })
    await expect(copyStore(moving(to, new MemoryStore()))).rejects.toMatchObject({
      code: 'COORD_STORE_MODE',
      detail: expect.stringContaining('mode copy'),
    })
    await to.setMode('copy', 'open')
    await expect(copyStore(moving(from, to))).rejects.toMatchObject({
      code: 'COORD_STORE_MODE',
      hint: expect.stringContaining('exchanged'),
    })
  })
})

function passing(faults: { met: number }): CoordinatorError {
  faults.met += 1
  return new CoordinatorError('COORD_STORE_UNAVAILABLE', { outcome: 'unknown' })
}

function pick({ lineage, revision }: { lineage: string; revision: number }) {
  return { lineage, revision }
}

async function reached(from: MemoryStore, to: MemoryStore): Promise<void> {
  let same = false
  await until(() => {
    void Promise.all([from.head(), to.head()]).then(([source, target]) => {
      same = target.mode === 'copy' && source.position.digest === target.position.digest
    })
    return same
  })
}

const tokens = new Map<MemoryStore, readonly string[]>()

/** The names of the tokens that a store had a moment ago. */
function tokensOf(store: MemoryStore): readonly string[] {
  void store.access.load().then((state) =>
    tokens.set(
      store,
      state.tokens.map(({ name }) => name),
    ),
  )
  return tokens.get(store) ?? []
}

/** Times around those of all entries that a store has. */
async function timesOf(store: MemoryStore): Promise<number[]> {
  const { floor } = await store.head()
  const times = new Set<number>()
  for await (const { position } of store.asOf({ revision: floor })) {
    const reply = await store.changes(position, 10_000)
    if (reply.status !== 'ok') throw new Error(reply.status)
    for (const { at } of reply.entries) for (const time of [at - 1, at, at + 1]) times.add(time)
  }
  return [...times]
}

/** The revision at a time, or what the store says instead. */
async function revisionAt(store: MemoryStore, at: number): Promise<unknown> {
  try {
    for await (const { position } of store.asOf({ at }, { kind: 'none', id: 'none' }))
      return position.revision
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
  return undefined
}
