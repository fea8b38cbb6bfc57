import { describe, expect, it } from 'vitest'
import type { Destination } from '../../../src/archive/destination/destination.ts'
import { restore } from '../../../src/archive/restore/restore.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import type { Store } from '../../../src/database/store.ts'
import { CoordinatorError } from '../../../src/errors.ts'
import { archiveOfHistory } from './archive-of-history.ts'
import { planned } from './planned.ts'
import { recordsAt } from './written-archive.ts'

/** Fails every second call of each method, after it took effect if it changes something. */
function flaky<T extends object>(target: T, failure: () => Error, methods: readonly (keyof T)[]): T {
  const calls = new Map<string | symbol, number>()
  return new Proxy(target, {
    get(from, name) {
      const member: unknown = Reflect.get(from, name, from)
      if (typeof member !== 'function') return member
      if (!methods.includes(name as keyof T)) return member.bind(from)
      return async (...parameters: unknown[]) => {
        const call = (calls.get(name) ?? 0) + 1
        calls.set(name, call)
        const result: unknown = await member.apply(from, parameters)
        if (call % 2 === 1) throw failure()
        return result
      }
    },
  })
}

const away = () => new CoordinatorError('COORD_ARCHIVE_UNREACHABLE')
const busy = () => new CoordinatorError('COORD_STORE_FAULT', { outcome: 'unknown' })

describe('a restore', () => {
  it('goes on after failures that pass, of the archive and of the database', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20], parts: 2 })
    const store = new MemoryStore()
    const plan = await planned(archive.destination, { revision: 33 }, { history: true })
    const destination = flaky<Destination>(archive.destination, away, ['read'])
    const failing = flaky<Store>(store, busy, ['open', 'setMode', 'seed', 'replay', 'fork', 'head'])
    const patience = { patienceMs: 30_000, signal: new AbortController().signal }
    expect(await restore({ destination, store: failing, plan, patience })).toMatchObject({ revision: 33 })
    for (const revision of [0, 20, 33])
      expect(await recordsAt(store, revision)).toEqual(await recordsAt(archive.store, revision))
    expect((await store.head()).ancestors).toHaveLength(1)
  })

  it('gives up when its patience ends, with the failure as it was', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const plan = await planned(archive.destination)
    const destination: Destination = Object.assign(Object.create(archive.destination), {
      read: () => Promise.reject(away()),
    })
    const patience = { patienceMs: 300, signal: new AbortController().signal }
    await expect(restore({ destination, store: new MemoryStore(), plan, patience })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_UNREACHABLE',
    })
  })

  it('does not try again what cannot pass', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const plan = await planned(archive.destination)
    let reads = 0
    const destination: Destination = Object.assign(Object.create(archive.destination), {
      read: () => {
        reads += 1
        return Promise.reject(new CoordinatorError('COORD_ARCHIVE_REFUSED'))
      },
    })
    const patience = { patienceMs: 30_000, signal: new AbortController().signal }
    await expect(restore({ destination, store: new MemoryStore(), plan, patience })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_REFUSED',
    })
    expect(reads).toBeLessThanOrEqual(plan.base.files.length)
  })

  it('ends with the reason of its signal', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const plan = await planned(archive.destination)
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = () => controller.abort(reason)
    const patience = { patienceMs: 30_000, signal: controller.signal }
    const { destination } = archive
    const store = new MemoryStore()
    await expect(restore({ destination, store, plan, patience, onProgress })).rejects.toBe(reason)
    const again = { patienceMs: 0, signal: new AbortController().signal }
    expect(await restore({ destination, store, plan, patience: again })).toMatchObject({ revision: 48 })
  })
})
