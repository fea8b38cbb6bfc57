import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Archiver } from '../../../src/archive/archiver/archiver.ts'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { Live } from '../../../src/live/live.ts'
import { commitOf, idsOf, put, remove, tokenOf } from '../../conformance/build.ts'
import { backends } from '../../support/backends/index.ts'
import { plainDomain, until } from '../../support/with-live.ts'
import { readArchive } from './read-archive.ts'
import { comparison, sourceOf, untilArchived } from './with-archiver.ts'

describe.each(backends.map((backend) => [backend.name, backend] as const))(
  'the archiver on %s',
  (_, backend) => {
    it('archives what the store has, through a fork, with fingerprints and tokens', {
      timeout: 60_000,
    }, async () => {
      const subject = await backend.create({ pageSize: 50, firstRevision: 0 })
      const folder = await mkdtemp(join(tmpdir(), 'coordinator-archive-'))
      try {
        const { store } = subject
        const live = new Live(store, plainDomain)
        await live.start()
        await live.commit(commitOf(put('first')))
        const destination = new FolderDestination({ path: folder })
        const archiver = new Archiver({
          ...{ store: live.store, destination, source: sourceOf(live) },
          ...{ intervalMs: 20, retryMaxMs: 50 },
        })
        archiver.start()
        await untilArchived(archiver, live)
        await Promise.all(idsOf('r', 120).map((id) => live.commit(commitOf(put(id, { text: 'ä\u{1f600}' })))))
        await live.commit({ ...commitOf(remove('r001'), put('r002', { v: 2 })), fingerprint: 'a print' })
        await store.access.put(tokenOf('ci'))
        await untilArchived(archiver, live)
        const { lineage } = live.view
        const before = await readArchive(destination, lineage)
        expect(before.entries.get(122)).toMatchObject({ fingerprint: 'a print' })
        expect([...before.entries.keys()]).toEqual(Array.from({ length: 121 }, (_, at) => at + 2))
        const [there, stored] = await comparison(before, store, [1, 2, 61, 122])
        expect(there).toEqual(stored)
        const tokens = async () =>
          (await readArchive(destination, live.view.lineage)).access.at(-1)?.state.tokens.length
        await expect.poll(tokens).toBe(1)

        await store.fork((await store.head()).position)
        await until(() => live.view.lineage !== lineage)
        for (const id of idsOf('later', 5)) await live.commit(commitOf(put(id)))
        await untilArchived(archiver, live)
        const after = await readArchive(destination, live.view.lineage)
        const first = after.bases[0]?.revision ?? 0
        const [thereAfter, storedAfter] = await comparison(after, store, [first, 127])
        expect(thereAfter).toEqual(storedAfter)
        await expect.poll(tokens).toBe(1)
        expect(archiver.figures).toMatchObject({ state: 'ok', failures: 0, gaps: 0 })
        await archiver.finish(1_000)
        await live.stop()
      } finally {
        await subject.dispose()
        await rm(folder, { recursive: true, force: true })
      }
    })
  },
)
