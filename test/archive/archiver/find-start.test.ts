import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findStart } from '../../../src/archive/archiver/find-start.ts'
import { archiveOfHistory } from '../restore/archive-of-history.ts'
import { entriesOf, filesIn } from '../restore/written-archive.ts'

type Archive = Awaited<ReturnType<typeof archiveOfHistory>>

/** Removes the logs that end after a revision, as if the process had ended before it wrote them. */
async function forgetLogsAfter({ destination, path }: Archive, revision: number): Promise<void> {
  for (const { name } of await filesIn(destination, /\/log\//)) {
    const [, last = ''] = /-(\d{16})-/.exec(name.slice(name.indexOf('/log/'))) ?? []
    if (Number(last) > revision) await unlink(join(path, name))
  }
}

describe('where the archiver goes on in a new lineage', () => {
  it('is the end of the logs of the old one, if only a base was written after it', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20, 48] })
    await forgetLogsAfter(archive, 30)
    const entries = await entriesOf(archive.store)
    const markAt = (revision: number) => ({ revision, digest: entries[revision - 1]?.digest })
    const { position, ancestors } = await archive.store.fork((await archive.store.head()).position)
    const history = { lineage: position.lineage, ancestors }
    const { marks } = await findStart(archive, history)
    // The second one counts once the journal no longer has what follows the first one.
    expect(marks).toEqual([markAt(30), markAt(48)])
  })

  it('is the newest thing that the archive has, if nothing is missing before it', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20, 40] })
    const { position, ancestors } = await archive.store.fork((await archive.store.head()).position)
    const { marks } = await findStart(archive, { lineage: position.lineage, ancestors })
    expect(marks).toEqual([{ revision: 48, digest: position.digest }])
  })
})

describe('where the archiver goes on in its own lineage', () => {
  it('is the end of the logs, although a newer base is there, and then that base', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20, 48] })
    await forgetLogsAfter(archive, 30)
    const entries = await entriesOf(archive.store)
    const markAt = (revision: number) => ({ revision, digest: entries[revision - 1]?.digest })
    const { position, ancestors } = await archive.store.head()
    const { marks } = await findStart(archive, { lineage: position.lineage, ancestors })
    expect(marks).toEqual([markAt(30), markAt(48)])
  })
})
