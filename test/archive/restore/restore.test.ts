import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { restore } from '../../../src/archive/restore/restore.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { put, remove, tokenOf } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { planned } from './planned.ts'
import { entriesOf, recordsAt, writeArchive } from './written-archive.ts'

const patience = { patienceMs: 0, signal: new AbortController().signal }

async function archived() {
  const path = await mkdtemp(join(tmpdir(), 'coordinator-archive-'))
  const destination = new FolderDestination({ path })
  const store = new MemoryStore()
  await store.open()
  const caller = await Caller.at(store)
  for (let index = 0; index < 40; index += 1) {
    await caller.write(put(`s${index % 9}`, { v: index }))
    if (index % 5 === 4) await caller.write(remove(`s${(index - 2) % 9}`))
  }
  await store.access.put(tokenOf('kept'))
  await store.access.put(tokenOf('gone'))
  await store.access.revoke(tokenOf('gone').id, 'token:admin')
  return {
    store,
    destination,
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

describe('restore', () => {
  it('gives the records and the journal of every revision back', async () => {
    await using archive = await archived()
    await writeArchive(archive.store, archive.destination, { bases: [0, 20], parts: 3 })
    const { position } = await archive.store.head()
    for (let revision = 0; revision <= position.revision; revision += 3) {
      const store = new MemoryStore()
      const plan = await planned(archive.destination, { revision }, { history: revision % 2 === 0 })
      const report = await restore({ destination: archive.destination, store, plan, patience })
      expect(report).toMatchObject({ previous: position.lineage, revision, activeTokens: 1 })
      const head = await store.head()
      expect(head).toMatchObject({ mode: 'open', ancestors: [position.lineage] })
      for (let at = head.floor; at <= revision; at += 1)
        expect(await recordsAt(store, at)).toEqual(await recordsAt(archive.store, at))
      if (head.floor === 0 && revision > 0)
        expect(await entriesOf(store, position.lineage)).toEqual(
          (await entriesOf(archive.store)).slice(0, revision),
        )
    }
  })
})
