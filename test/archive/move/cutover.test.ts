import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { abortCutover } from '../../../src/archive/move/abort-cutover.ts'
import { copyStore } from '../../../src/archive/move/copy-store.ts'
import { cutover } from '../../../src/archive/move/cutover.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import type { AccessState, Store } from '../../../src/database/store.ts'
import { commitOf, newCall, put, tokenOf } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { FaultyStore } from '../../support/faulty-store.ts'
import { dying, Fate, Killed } from './dying-store.ts'
import { moving } from './moving.ts'
import { expectSame, fill } from './random-source.ts'

async function copied(count = 60): Promise<{ from: MemoryStore; to: MemoryStore }> {
  const [from, to] = [new MemoryStore(), new MemoryStore()]
  await fill(from, { count })
  await copyStore(moving(from, to))
  return { from, to }
}

/** What a coordinator is told that still writes into a store. */
async function writeInto(store: Store, commit = commitOf(put('late'))) {
  const { position } = await store.head()
  const reply = await store.commit(position, [commit], newCall())
  if (reply.status !== 'ok') throw new Error(reply.status)
  return reply.results[0]
}

const modesOf = async (...stores: readonly Store[]) =>
  Promise.all(stores.map(async (store) => (await store.head()).mode))

describe('a cutover', () => {
  it('lets the copy take the place of its source, with the same history and everything that was written meanwhile', async () => {
    const { from, to } = await copied()
    const caller = await Caller.at(from)
    const last = { ...commitOf(put('last')), fingerprint: 'print' }
    await caller.send(last)
    await from.access.revoke(tokenOf('kept').id, 'somebody')
    const report = await cutover(moving(from, to))
    expect(report).toMatchObject({ lineage: caller.position.lineage, revision: caller.position.revision })
    expect(report).toMatchObject({ resumed: false, tokens: 2 })
    expect(await modesOf(from, to)).toEqual(['frozen', 'open'])
    await expectSame(from, to)
    // A retry gets its first result from both, and only the new one takes more.
    const first = { outcome: 'accepted', replayed: true, revision: report.revision }
    expect(await writeInto(from, last)).toMatchObject(first)
    expect(await writeInto(to, last)).toMatchObject(first)
    expect(await writeInto(to, { ...last, fingerprint: 'other' })).toMatchObject({ outcome: 'reused' })
    expect(await writeInto(from)).toMatchObject({ outcome: 'refused', error: { code: 'COORD_STORE_FROZEN' } })
    expect(await writeInto(to)).toMatchObject({ outcome: 'accepted', revision: report.revision + 1 })
  })

  it('run again says that it is done', async () => {
    const { from, to } = await copied()
    const { revision } = await cutover(moving(from, to))
    expect(await cutover(moving(from, to))).toMatchObject({ revision, resumed: true, pauseMs: 0 })
  })

  it('leads back, with what was written since, and again', async () => {
    const { from, to } = await copied()
    for (let [old, now] = [from, to], turn = 0; turn < 4; turn += 1, [old, now] = [now, old]) {
      await cutover(moving(old, now))
      for (const id of ['a', 'b']) await writeInto(now, commitOf(put(id, { turn })))
      expect(await modesOf(old, now)).toEqual(['frozen', 'open'])
    }
    await cutover(moving(from, to))
    await expectSame(from, to)
  })

  it('refuses a target that is no whole copy, and changes nothing', async () => {
    const { from } = await copied()
    const to = new MemoryStore()
    await expect(cutover(moving(from, to))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
    await to.setMode('open', 'seeding')
    await expect(cutover(moving(from, to))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
    expect(await modesOf(from, to)).toEqual(['open', 'seeding'])
    const { to: forgotten, from: source } = await copied()
    const caller = await Caller.at(source)
    for (const id of ['a', 'b']) await caller.write(put(id))
    await source.compact(caller.position.revision)
    await expect(cutover(moving(source, forgotten))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
    expect(await modesOf(source, forgotten)).toEqual(['open', 'copy'])
  })

  it('refuses a copy with another record, and names it', async () => {
    const from = new MemoryStore()
    await fill(from)
    const caller = await Caller.at(from)
    await caller.write(put('altered', { v: 'right' }))
    await from.compact(caller.position.revision)
    const to = new MemoryStore()
    await copyStore(moving(lying(from, 'right', 'wrong'), to))
    await expect(cutover(moving(from, to))).rejects.toMatchObject({
      code: 'COORD_COPY_DIFFERS',
      detail: expect.stringContaining('`service altered`'),
    })
    // Nothing was frozen, and copying again mends it.
    expect(await modesOf(from, to)).toEqual(['open', 'copy'])
    await copyStore({ ...moving(from, to), again: true })
    await cutover(moving(from, to))
  })

  it('refuses an entry that arrived otherwise while it compared, and lets the source take writes again', async () => {
    const { from, to } = await copied()
    const late = new FaultyStore(from)
    // The entry is written when the source freezes, so that only the last comparison can find it.
    late.next('setMode', {
      does: 'instead',
      run: async (store) => {
        await (await Caller.at(store)).write(put('late', { v: 'right' }))
        return store.setMode('open', 'frozen')
      },
    })
    const target = new FaultyStore(to)
    target.next('replay', {
      does: 'instead',
      run: (store, [after, entries]) =>
        store.replay(after as never, altered(entries, 'right', 'wrong') as never),
    })
    await expect(cutover(moving(late, target))).rejects.toMatchObject({ code: 'COORD_COPY_DIFFERS' })
    expect(await modesOf(from, to)).toEqual(['open', 'seeding'])
    expect(await writeInto(from)).toMatchObject({ outcome: 'accepted' })
    await copyStore(moving(from, to))
    await cutover(moving(from, to))
    await expectSame(from, to)
  })

  it('refuses an entry that arrived otherwise while all records were compared, before it freezes anything', async () => {
    const { from, to } = await copied()
    // It is written after the copy had everything, and before the comparison ends.
    const source = changed(from, (store) => ({
      asOf: async function* (...args: Parameters<Store['asOf']>) {
        await (await Caller.at(store)).write(put('late', { v: 'right' }))
        yield* store.asOf(...args)
      },
    }))
    const target = new FaultyStore(to)
    target.next('replay', {
      does: 'instead',
      run: (store, [after, entries]) =>
        store.replay(after as never, altered(entries, 'right', 'wrong') as never),
    })
    await expect(cutover(moving(source, target))).rejects.toMatchObject({ code: 'COORD_COPY_DIFFERS' })
    // Nothing was frozen: to undo that would have made the copy useless.
    expect(await modesOf(from, to)).toEqual(['open', 'copy'])
  })

  it('opens no copy that lacks an entry of the frozen source, and lets the source take writes again', async () => {
    const { from, to } = await copied()
    let frozen = false
    const forgetful = changed(from, (store) => ({
      setMode: async (...args) => {
        await (await Caller.at(store)).write(put('late'))
        frozen = true
        return store.setMode(...args)
      },
      changes: async (...args) => {
        const reply = await store.changes(...args)
        return frozen && reply.status === 'ok' ? { ...reply, entries: [], more: false } : reply
      },
    }))
    await expect(cutover(moving(forgetful, to))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
    expect((await to.head()).mode).toBe('seeding')
    frozen = false
    await abortCutover(moving(from, to))
    expect(await writeInto(from, commitOf(put('later')))).toMatchObject({ outcome: 'accepted' })
  })

  it('to another database than that of the cutover is not taken for done', async () => {
    const { from, to } = await copied()
    await cutover(moving(from, to))
    const other = new MemoryStore()
    await fill(other, { seed: 9 })
    await expect(cutover(moving(from, other))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
    expect(await modesOf(from, other)).toEqual(['frozen', 'open'])
  })

  it.each([false, true])(
    'that is killed at any call (done by the store: %s) goes on when it is run again',
    async (afterwards) => {
      await killedAnywhere({ afterwards }, async ({ from, to }) => {
        await cutover(moving(from, to))
        expect(await modesOf(from, to)).toEqual(['frozen', 'open'])
        await expectSame(from, to)
      })
    },
  )

  it.each([false, true])(
    'that is killed at any call (done by the store: %s) can be undone unless it is done',
    async (afterwards) => {
      await killedAnywhere({ afterwards }, async ({ from, to }) => {
        const before = await modesOf(from, to)
        const { lineage } = (await from.head()).position
        if (before[1] === 'open') {
          await expect(abortCutover(moving(from, to))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
          expect(await modesOf(from, to)).toEqual(before)
          return
        }
        const frozen = before[0] === 'frozen'
        expect(await abortCutover(moving(from, to))).toMatchObject({ opened: frozen, forked: false })
        expect(await modesOf(from, to)).toEqual(['open', frozen ? 'seeding' : 'copy'])
        expect((await from.head()).position.lineage).toBe(lineage)
        // A call of the killed cutover that arrives now opens nothing.
        if (frozen)
          await expect(to.setMode('copy', 'open')).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
        await writeInto(from)
        await copyStore(moving(from, to))
        await cutover(moving(from, to))
        await expectSame(from, to)
      })
    },
  )

  it('whose abort is killed at any call can be undone again, or goes on', async () => {
    for (const goOn of [false, true])
      for (let dieAt = 1, died = true; died; dieAt += 1) {
        const { from, to } = await copied(20)
        await from.setMode('open', 'frozen')
        const fate = new Fate(dieAt, { afterwards: true })
        died = await isKilled(abortCutover(moving(dying(from, fate), dying(to, fate))))
        if (!goOn) await abortCutover(moving(from, to))
        else {
          if ((await to.head()).mode === 'seeding') await copyStore(moving(from, to))
          await cutover(moving(from, to))
        }
        expect(await modesOf(from, to)).toEqual(goOn ? ['frozen', 'open'] : ['open', 'seeding'])
      }
  })

  it('is undone with a new lineage if nobody can say whether the target takes writes', async () => {
    const { from, to } = await copied()
    await from.setMode('open', 'frozen')
    const before = await from.head()
    const away = new FaultyStore(to)
    away.outage()
    const { patience } = moving(from, to)
    const short = { ...patience, patienceMs: 50 }
    expect(await abortCutover(moving(from, away, { patience: short }))).toMatchObject({
      opened: true,
      forked: true,
    })
    const after = await from.head()
    expect(after).toMatchObject({ mode: 'open', ancestors: [before.position.lineage] })
    expect(after.position.lineage).not.toBe(before.position.lineage)
    expect(after.position.digest).toBe(before.position.digest)
  })

  it('is not undone by somebody who gives another database, or one whose password is wrong', async () => {
    const { from, to } = await copied()
    await from.setMode('open', 'frozen')
    const other = new MemoryStore()
    await fill(other, { seed: 9 })
    for (const wrong of [other, new MemoryStore()])
      await expect(abortCutover(moving(from, wrong))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
    const refusing = new FaultyStore(to)
    refusing.always({ does: 'fail', code: 'COORD_STORE_AUTH' }, 'open')
    await expect(abortCutover(moving(from, refusing))).rejects.toMatchObject({ code: 'COORD_STORE_AUTH' })
    expect((await from.head()).mode).toBe('frozen')
  })

  it('of which nobody knows whether it opened the target leaves the source frozen, and says so', async () => {
    const { from, to } = await copied()
    const target = new FaultyStore(to)
    const { patience } = moving(from, to)
    const short = { ...patience, patienceMs: 50 }
    target.always({ does: 'fail', outcome: 'unknown' }, 'setMode')
    await expect(cutover(moving(from, target, { patience: short }))).rejects.toMatchObject({
      detail: expect.stringContaining('still frozen'),
      hint: expect.stringContaining('--abort'),
    })
    expect(await modesOf(from, to)).toEqual(['frozen', 'copy'])
    target.heal()
    await cutover(moving(from, target))
    expect(await modesOf(from, to)).toEqual(['frozen', 'open'])
  })

  it('that was stopped for a long time, and was aborted meanwhile, opens nothing', async () => {
    const { from, to } = await copied()
    const target = new FaultyStore(to)
    // The tokens are the last thing that the target gets before it is opened.
    target.next('access.seed', {
      does: 'instead',
      run: async (store, [state]) => {
        const seeded = await store.access.seed(state as AccessState)
        await abortCutover(moving(from, to))
        await writeInto(from)
        await copyStore(moving(from, to))
        return seeded
      },
    })
    await expect(cutover(moving(from, target))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
    expect(await modesOf(from, to)).toEqual(['open', 'copy'])
  })

  it('is not interrupted while nobody takes writes', async () => {
    const { from, to } = await copied()
    const stop = new AbortController()
    const source = new FaultyStore(from)
    source.next('setMode', {
      does: 'instead',
      run: async (store) => {
        stop.abort(new Error('told to end'))
        return store.setMode('open', 'frozen')
      },
    })
    const patience = { patienceMs: 1_000, signal: stop.signal }
    await cutover(moving(source, to, { patience }))
    expect(await modesOf(from, to)).toEqual(['frozen', 'open'])
  })
})

/** Kills a cutover at each of its calls in turn, and then lets `after` look at what is left. */
async function killedAnywhere(
  { afterwards }: { readonly afterwards: boolean },
  after: (left: { from: MemoryStore; to: MemoryStore }) => Promise<void>,
): Promise<void> {
  let dieAt = 1
  for (let died = true; died; dieAt += 1) {
    const { from, to } = await copied(20)
    await writeInto(from, commitOf(put(randomUUID())))
    const fate = new Fate(dieAt, { afterwards })
    died = await isKilled(cutover(moving(dying(from, fate), dying(to, fate))))
    const open = (await modesOf(from, to)).filter((mode) => mode === 'open')
    expect(open.length, 'stores that take writes').toBeLessThanOrEqual(1)
    await after({ from, to })
  }
  expect(dieAt).toBeGreaterThan(15)
}

function isKilled(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    (thrown) => {
      if (!(thrown instanceof Killed)) throw thrown
      return true
    },
  )
}

/** A source whose records are read with another text. */
function lying(source: MemoryStore, right: string, wrong: string): Store {
  return changed(source, (store) => ({
    asOf: async function* (...args) {
      for await (const page of store.asOf(...args))
        yield { ...page, records: altered(page.records, right, wrong) }
    },
  }))
}

/** A store of which some members are others. */
function changed(store: MemoryStore, others: (store: MemoryStore) => Partial<Store>): Store {
  const members = others(store)
  return new Proxy(store, {
    get: (target, name) => {
      const other: unknown = Reflect.get(members, name)
      if (other !== undefined) return other
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

function altered<T>(value: T, right: string, wrong: string): T {
  return JSON.parse(JSON.stringify(value).replaceAll(right, wrong)) as T
}
