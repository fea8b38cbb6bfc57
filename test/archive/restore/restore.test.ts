import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeAccess } from '../../../src/archive/format/access-file.ts'
import { restore } from '../../../src/archive/restore/restore.ts'
import type { RestoreProgress } from '../../../src/archive/restore/restore-progress.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { put, tokenOf } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { archiveOfHistory, patience } from './archive-of-history.ts'
import { planned } from './planned.ts'
import { Killed, stoppingStore } from './stopping-store.ts'
import { entriesOf, filesIn, recordsAt } from './written-archive.ts'

describe('restore', () => {
  it('gives the records and the journal of every revision back', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20], parts: 3 })
    const { position } = await archive.store.head()
    for (let revision = 0; revision <= position.revision; revision += 3) {
      const store = new MemoryStore()
      const plan = await planned(archive.destination, { revision }, { history: revision % 2 === 0 })
      const report = await restore({ destination: archive.destination, store, plan, patience })
      expect(report).toMatchObject({ previous: position.lineage, revision, resumed: false })
      const head = await store.head()
      expect(head).toMatchObject({
        mode: 'open',
        position: { lineage: report.lineage, revision },
        ancestors: [position.lineage],
      })
      for (let at = head.floor; at <= revision; at += 1)
        expect(await recordsAt(store, at)).toEqual(await recordsAt(archive.store, at))
      if (head.floor === 0 && revision > 0)
        expect(await entriesOf(store, position.lineage)).toEqual(
          (await entriesOf(archive.store)).slice(0, revision),
        )
    }
  })

  it('ends at the newest entry that is not later than a time', async () => {
    await using archive = await archiveOfHistory({ bases: [0], clock: true })
    const entries = await entriesOf(archive.store)
    for (const index of [3, 11, 30]) {
      const { at, revision } = entries[index] as (typeof entries)[number]
      const store = new MemoryStore()
      const plan = await planned(archive.destination, { at: at + 1 })
      const report = await restore({ destination: archive.destination, store, plan, patience })
      expect(report).toMatchObject({ revision, at })
    }
  })

  it('brings the newest tokens, and what was revoked stays revoked, whatever moment is restored', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const store = new MemoryStore()
    const plan = await planned(archive.destination, { revision: 21 })
    const report = await restore({ destination: archive.destination, store, plan, patience })
    expect(report.activeTokens).toBe(1)
    const { tokens, requiredSince } = await store.access.load()
    const { tokens: original } = await archive.store.access.load()
    expect(tokens).toEqual(original)
    expect(tokens.find(({ name }) => name === 'gone')?.revokedAt).not.toBeNull()
    // Credentials were demanded after this moment. What is written from now on has a proven author.
    expect(requiredSince).toBe(21)
  })

  it('keeps revoked what any of the newest files with tokens revokes', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const { lineage } = (await archive.store.head()).position
    const { requiredSince, tokens } = await archive.store.access.load()
    // Of a coordinator that was stopped for a while, or whose clock is ahead.
    const old = tokens.map((token) => ({ ...token, revokedAt: null, revokedBy: null }))
    const at = Date.now() + 60_000
    const { name, content } = await writeAccess(
      { requiredSince, tokens: old },
      { lineage, ancestors: [] },
      { at },
    )
    await archive.destination.write(name, content)
    const store = new MemoryStore()
    const plan = await planned(archive.destination)
    expect(plan.access?.name).toBe(name)
    const report = await restore({ destination: archive.destination, store, plan, patience })
    expect(report.activeTokens).toBe(1)
    expect((await store.access.load()).tokens).toEqual(tokens)
  })

  it('counts the tokens that the database had before, which stay', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const store = new MemoryStore()
    await store.open()
    await store.access.put(tokenOf('before'))
    const plan = await planned(archive.destination)
    const report = await restore({ destination: archive.destination, store, plan, patience })
    expect(report.activeTokens).toBe(2)
  })

  it('finds a damaged file with tokens before it writes, and does without it if told so', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const [file] = await filesIn(archive.destination, /\/access\//)
    const name = file?.name ?? ''
    await writeFile(join(archive.path, name), 'damaged')
    const store = new MemoryStore()
    const plan = await planned(archive.destination)
    await expect(restore({ destination: archive.destination, store, plan, patience })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
      extra: { file: name },
    })
    expect(await store.head()).toMatchObject({ position: { revision: 0 } })
    const without = await planned(archive.destination, {}, { excluded: new Set([name]) })
    const report = await restore({ destination: archive.destination, store, plan: without, patience })
    expect(report).toMatchObject({ revision: 48, activeTokens: 0 })
  })

  it('answers a commit that comes again with its first result', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const commit = {
      ...{ commitId: 'a0a0a0a0-0000-4000-8000-000000000001', actor: 'test', fingerprint: 'one' },
      writes: [put('idempotent', { v: 1 })],
    }
    const [first] = await (await Caller.at(archive.store)).send(commit)
    await archive.write({ bases: [] })
    const store = new MemoryStore()
    const plan = await planned(archive.destination)
    await restore({ destination: archive.destination, store, plan, patience })
    const caller = await Caller.at(store)
    expect((await caller.send(commit))[0]).toMatchObject({ ...first, replayed: true })
    expect((await caller.send({ ...commit, fingerprint: 'two' }))[0]).toMatchObject({ outcome: 'reused' })
  })

  it('refuses a store that holds a history, and changes nothing', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const store = new MemoryStore()
    await store.open()
    await (await Caller.at(store)).write(put('mine'))
    const before = await store.head()
    const plan = await planned(archive.destination)
    await expect(restore({ destination: archive.destination, store, plan, patience })).rejects.toMatchObject({
      code: 'COORD_STORE_NOT_EMPTY',
    })
    expect(await store.head()).toEqual(before)
  })

  it('reports how far it is, up to the end', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20], parts: 2 })
    const reports: RestoreProgress[] = []
    const onProgress = (progress: RestoreProgress) => void reports.push(progress)
    const plan = await planned(archive.destination, { revision: 30 })
    await restore({ destination: archive.destination, store: new MemoryStore(), plan, patience, onProgress })
    expect(new Set(reports.map(({ phase }) => phase))).toEqual(new Set(['seed', 'replay', 'finish']))
    expect(reports.at(-1)).toMatchObject({
      phase: 'finish',
      revision: 30,
      lastRevision: 30,
      baseRevision: 20,
    })
    const bytes = reports.map((report) => report.bytes)
    expect(bytes).toEqual(bytes.toSorted((left, right) => left - right))
    expect(reports.at(-1)?.ofBytes).toBe(bytes.at(-1))
  })
})

describe('a restore that is killed', () => {
  it.each(['before', 'after'] as const)(
    'goes on when it is called again, wherever it was: %s each call of the store',
    async (when) => {
      await using archive = await archiveOfHistory({ bases: [0, 20], parts: 2 })
      const { position } = await archive.store.head()
      const plan = await planned(archive.destination, { revision: 33 }, { history: true })
      let calls = 0
      for (let at = 1; ; at += 1) {
        const store = new MemoryStore()
        const { destination } = archive
        const first = restore({ destination, store: stoppingStore(store, at, when), plan, patience })
        const wasKilled = await first.then(
          () => false,
          (thrown: unknown) => thrown instanceof Killed,
        )
        if (!wasKilled) break
        calls = at
        const { mode } = await store.head()
        // What is half restored serves nothing. At the end, when everything is there, it takes no writes.
        if (mode === 'seeding')
          await expect(recordsAt(store, 1)).rejects.toMatchObject({ code: 'COORD_STORE_FROZEN' })
        const report = await restore({ destination, store, plan, patience })
        expect(report).toMatchObject({ revision: 33, previous: position.lineage })
        expect(await store.head()).toMatchObject({ mode: 'open', ancestors: [position.lineage] })
        for (const revision of [0, 7, 20, 33])
          expect(await recordsAt(store, revision)).toEqual(await recordsAt(archive.store, revision))
        expect(await entriesOf(store, position.lineage)).toEqual(
          (await entriesOf(archive.store)).slice(0, 33),
        )
      }
      expect(calls).toBeGreaterThan(8)
    },
  )

  it('begins anew when another moment is wanted', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const { destination } = archive
    for (const [first, second] of [
      [{ revision: 40 }, { revision: 12 }],
      [{ revision: 12 }, { revision: 40 }],
      [{ revision: 39 }, { revision: 0 }],
    ] as const)
      for (let at = 2; at < 9; at += 1) {
        const store = new MemoryStore()
        const stopped = stoppingStore(store, at, 'after')
        const plan = await planned(destination, first, { history: true })
        await expect(restore({ destination, store: stopped, plan, patience })).rejects.toBeInstanceOf(Killed)
        if ((await store.head()).mode !== 'seeding') break
        const other = await planned(destination, second, { history: second.revision < 20 })
        const { revision } = await restore({ destination, store, plan: other, patience })
        expect(revision).toBe(second.revision)
        expect(await recordsAt(store, revision)).toEqual(await recordsAt(archive.store, revision))
      }
  })

  it('begins anew when the history is wanted, too, after one without it was interrupted, and the reverse', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const { destination } = archive
    for (const history of [true, false]) {
      const store = new MemoryStore()
      const first = await planned(destination, { revision: 45 }, { history: !history })
      // The first entries after the base are stored.
      for (let at = 4; (await store.head()).position.revision <= first.base.revision; at += 1) {
        const stopped = stoppingStore(store, at, 'after')
        const restoring = restore({ destination, store: stopped, plan: first, patience })
        await expect(restoring).rejects.toBeInstanceOf(Killed)
      }
      expect((await store.head()).mode).toBe('seeding')
      const plan = await planned(destination, { revision: 45 }, { history })
      const { floor } = await restore({ destination, store, plan, patience })
      expect(floor).toBe(history ? 0 : 20)
      expect(await recordsAt(store, 45)).toEqual(await recordsAt(archive.store, 45))
    }
  })

  it('and another one at the same time leave nothing that looks whole and is not', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20, 40], parts: 3 })
    const { destination } = archive
    const plan = await planned(destination, { revision: 43 })
    const other = await planned(destination, { revision: 24 })
    let intruded = 0
    // The other one seeds between any two calls of this one.
    for (let at = 2; at < 12; at += 1) {
      const store = new MemoryStore()
      let calls = 0
      const disturbed = new Proxy(store, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name, target)
          if (typeof member !== 'function' || name === 'asOf')
            return typeof member === 'function' ? member.bind(target) : member
          return async (...parameters: unknown[]) => {
            const result: unknown = await member.apply(target, parameters)
            calls += 1
            if (calls === at && (await target.head()).mode === 'seeding') {
              intruded += 1
              const { lineage, ancestors, base } = other
              const { revision, digest } = base
              await target.seed({ position: { lineage, revision, digest }, at: 0, ancestors }, [])
            }
            return result
          }
        },
      })
      const first = await restore({ destination, store: disturbed, plan, patience }).catch(
        (thrown: unknown) => thrown,
      )
      if (first instanceof Error) {
        expect(['COORD_STORE_DAMAGED', 'COORD_STORE_MODE']).toContain((first as { code?: string }).code)
        expect((await store.head()).mode).toBe('seeding')
        await restore({ destination, store, plan, patience })
      }
      expect((await store.head()).mode).toBe('open')
      for (const revision of [40, 43])
        expect(await recordsAt(store, revision)).toEqual(await recordsAt(archive.store, revision))
    }
    expect(intruded).toBeGreaterThan(3)
  })

  it('does not take a database in use for its own result', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const { destination } = archive
    const store = new MemoryStore()
    const plan = await planned(destination, { revision: 30 })
    await restore({ destination, store, plan, patience })
    expect(await restore({ destination, store, plan, patience })).toMatchObject({
      revision: 30,
      resumed: true,
    })
    await (await Caller.at(store)).write(put('newer'))
    const { position } = await store.head()
    await expect(restore({ destination, store, plan, patience })).rejects.toMatchObject({
      code: 'COORD_STORE_NOT_EMPTY',
    })
    const longer = await planned(destination, { revision: 31 })
    await expect(restore({ destination, store, plan: longer, patience })).rejects.toMatchObject({
      code: 'COORD_STORE_NOT_EMPTY',
    })
    expect((await store.head()).position).toEqual(position)
    expect((await store.access.load()).tokens.map(({ id }) => id)).toContain(tokenOf('kept').id)
  })
})

describe('a history that was forked', () => {
  it('is restored across its lineages, and so are the ancestors that left it', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const { store, destination } = archive
    const { position: first } = await store.head()
    await store.fork(first)
    const caller = await Caller.at(store)
    for (let index = 0; index < 12; index += 1) await caller.write(put(`f${index % 5}`, { v: index }))
    const { position: second } = await store.head()
    // The archive of the child begins with a base of its own, and logs from there on.
    await archive.write({ bases: [48], from: 48 })
    await caller.write(put('last'))
    await archive.write({ bases: [], from: 60 })
    const identity = { lineage: second.lineage }
    for (const { revision, history } of [
      { revision: 61, history: false },
      { revision: 61, history: true },
      { revision: 50, history: true },
      { revision: 30, history: false },
    ]) {
      const restored = new MemoryStore()
      const plan = await planned(destination, { ...identity, revision }, { history })
      const report = await restore({ destination, store: restored, plan, patience })
      expect(report).toMatchObject({ revision, previous: second.lineage })
      expect((await restored.head()).ancestors).toEqual([first.lineage, second.lineage])
      for (let at = report.floor; at <= revision; at += 5)
        expect(await recordsAt(restored, at)).toEqual(await recordsAt(store, at))
    }
    const old = new MemoryStore()
    const plan = await planned(destination, { lineage: first.lineage })
    expect(await restore({ destination, store: old, plan, patience })).toMatchObject({
      ...{ revision: 48, previous: first.lineage },
    })
  })
})
