import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { commitOf, put, remove, tokenOf } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { type WrittenArchive, writeArchive } from './written-archive.ts'

/** Nothing is tried again, so that a test sees the first failure. */
export const patience = { patienceMs: 0, signal: new AbortController().signal }

export interface HistoryOptions extends WrittenArchive {
  /** Whether ten seconds pass before each commit. @default false */
  readonly clock?: boolean
  /** How many services are registered at the end, each in a commit of its own. @default 0 */
  readonly services?: number
}

/** A store with a history of 48 revisions and two tokens, one of them revoked, and an archive of it in a folder. */
export async function archiveOfHistory({ clock = false, services = 0, ...written }: HistoryOptions) {
  const path = await mkdtemp(join(tmpdir(), 'coordinator-archive-'))
  const destination = new FolderDestination({ path })
  let now = Date.now()
  const store = clock ? new MemoryStore({ now: () => now }) : new MemoryStore()
  await store.open()
  const caller = await Caller.at(store)
  for (let index = 0; index < 40; index += 1) {
    now += 10_000
    await caller.write(put(`s${index % 9}`, { v: index }))
    if (index % 5 === 4) await caller.write(remove(`s${(index - 2) % 9}`))
  }
  const registered = Array.from({ length: services }, (_, index) =>
    commitOf(put(`r${index}`, { serviceName: `r${index}`, description: 'x'.repeat(200) })),
  )
  if (services > 0) await caller.send(...registered)
  await store.access.put(tokenOf('kept'))
  await store.access.put(tokenOf('gone'))
  await store.access.revoke(tokenOf('gone').id, 'token:admin')
  await store.access.require()
  const write = (what: WrittenArchive) => writeArchive(store, destination, what)
  await write(written)
  return {
    ...{ store, destination, path, write },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
