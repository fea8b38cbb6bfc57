import { readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { writeBase } from '../../../src/archive/format/write-base.ts'
import { readChecks } from '../../../src/archive/inventory/checks.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { planDrill } from '../../../src/archive/inventory/plan-restore.ts'
import type { RestorePlan } from '../../../src/archive/inventory/restore-plan.ts'
import { drill } from '../../../src/archive/restore/drill.ts'
import { runDrill } from '../../../src/archive/restore/run-drill.ts'
import { verifyArchive } from '../../../src/archive/restore/verify-archive.ts'
import { archiveOfHistory, patience } from './archive-of-history.ts'
import { planned } from './planned.ts'
import { filesIn, recordsAt } from './written-archive.ts'

type Archive = Awaited<ReturnType<typeof archiveOfHistory>>

async function drilled({ destination }: Archive, identities: readonly string[] = []) {
  const plan = await planDrill(await readInventory(destination, { identities }))
  return drill(plan as RestorePlan, { destination, identities, patience })
}

async function verified({ destination }: Archive, identities: readonly string[] = []) {
  const inventory = await readInventory(destination, { identities })
  return verifyArchive({ inventory, destination, identities, patience })
}

async function flip({ path, destination }: Archive, pattern: RegExp) {
  const [file] = await filesIn(destination, pattern)
  const name = file?.name ?? ''
  const bytes = await readFile(join(path, name))
  const at = bytes.length - 20
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(join(path, name), bytes)
  return name
}

async function keys() {
  const identity = await generateX25519Identity()
  return { identity, recipients: [await identityToRecipient(identity)] }
}

describe('a drill', () => {
  it('leads from the base before the newest one to the newest one', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 10, 30], parts: 2 })
    expect(await drilled(archive)).toMatchObject({ checked: 'contents', fromRevision: 10, toRevision: 30 })
  })

  it('of an archive with one base checks that base', async () => {
    await using archive = await archiveOfHistory({ bases: [10] })
    const { destination } = archive
    expect(await planDrill(await readInventory(destination))).toBeUndefined()
    const report = await drill(await planned(destination), { destination, patience })
    expect(report).toMatchObject({ checked: 'contents', fromRevision: 10, toRevision: 10 })
  })

  it('fails if the log leads to other records than those of the newest base', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 30] })
    const { destination, store, path } = archive
    const { lineage } = (await store.head()).position
    const [base] = await filesIn(destination, /base\/0{14}30-/)
    const digest = /-([0-9a-f]{64})-0001/.exec(base?.name ?? '')?.[1] ?? ''
    await unlink(join(path, base?.name ?? ''))
    const [, ...rest] = await recordsAt(store, 30)
    const forged = async function* () {
      yield rest
    }
    const point = { lineage, ancestors: [], revision: 30, digest, at: Date.now() }
    for await (const file of writeBase(point, forged(), { recordBytes: 1, at: Date.now }))
      await destination.write(file.name, file.content)
    await expect(drilled(archive)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
  })

  it('compares contents with an identity, and says that it cannot without one', async () => {
    const { identity, recipients } = await keys()
    await using archive = await archiveOfHistory({ bases: [0, 30], recipients })
    expect(await drilled(archive, [identity])).toMatchObject({ checked: 'contents', toRevision: 30 })
    expect(await drilled(archive)).toMatchObject({ checked: 'structure', toRevision: 30 })
  })

  it('of an archive that was encrypted from some time on checks the structure of the later files, and reads the earlier ones', async () => {
    const { identity, recipients } = await keys()
    await using archive = await archiveOfHistory({ bases: [0] })
    for (const { name } of await filesIn(archive.destination, /log\/0{14}(?:2[1-9]|[34])/))
      await archive.destination.remove(name)
    await archive.write({ bases: [30], from: 20, recipients })
    expect(await drilled(archive)).toMatchObject({ checked: 'structure', fromRevision: 0, toRevision: 30 })
    expect(await drilled(archive, [identity])).toMatchObject({ checked: 'contents', toRevision: 30 })
    const name = await flip(archive, /log\/0{14}16-/)
    await expect(drilled(archive)).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
      extra: { file: name },
    })
  })

  it('runs in a process of its own, and is noted in the archive', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 30] })
    const task = { url: `file:${archive.path}`, env: {}, identities: [] }
    const { signal } = new AbortController()
    const before = Date.now()
    const report = await runDrill(task, signal)
    expect(report).toMatchObject({ checked: 'contents', fromRevision: 0, toRevision: 30 })
    const check = (await readChecks(archive.destination)).get(report.lineage)
    expect(check).toMatchObject({ by: 'drill', checked: 'contents', revision: 30 })
    expect(check?.at).toBeGreaterThanOrEqual(before)
    // A note is no file of somebody else, and the next one takes its place.
    expect((await readInventory(archive.destination)).strange).toEqual([])
    await runDrill(task, signal)
    expect(await filesIn(archive.destination, /^checks\//)).toHaveLength(1)

    await flip(archive, /log\/0{14}16-/)
    await expect(runDrill(task, signal)).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
      // What runs it shows no `detail` with a revision.
      hint: expect.not.stringContaining('`detail`'),
    })
  })

  it('in a process of its own ends when nobody waits for it', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 30] })
    const controller = new AbortController()
    const running = runDrill({ url: `file:${archive.path}`, env: {}, identities: [] }, controller.signal)
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'COORD_INTERNAL' })
  })
})

describe('verify', () => {
  it('reads every file, and says what can be restored', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 10, 30], parts: 2 })
    const files = await filesIn(archive.destination)
    const report = await verified(archive)
    const { lineage } = (await archive.store.head()).position
    expect(report).toMatchObject({
      files: files.length,
      whole: files.length,
      structure: 0,
      bad: [],
      unfinished: [],
    })
    expect(report.bytes).toBe(files.reduce((sum, { bytes }) => sum + bytes, 0))
    expect(report.lineages).toEqual([{ lineage, revisions: [{ from: 0, to: 48 }] }])
  })

  it('names every bad file, and what can be restored without them', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 30], parts: 2 })
    const names = [
      await flip(archive, /log\/0{14}16-/),
      await flip(archive, /base\/0{14}30-.*-0002-of/),
      await flip(archive, /access\//),
    ]
    const { files, whole, spoilt, bad, lineages } = await verified(archive)
    expect(bad.map(({ name }) => name).sort()).toEqual(names.sort())
    // The first part of the base is right, but of no use without the second.
    expect({ files, whole, spoilt }).toEqual({ files: whole + spoilt + bad.length, whole, spoilt: 1 })
    expect(files).toBe((await filesIn(archive.destination)).length)
    expect(lineages[0]?.revisions).toEqual([{ from: 0, to: 15 }])
  })

  it('tells files of an interrupted upload and of somebody else from bad ones', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 30], parts: 2 })
    const [part] = await filesIn(archive.destination, /base\/0{14}30-.*-0001-of/)
    await unlink(join(archive.path, part?.name ?? ''))
    await writeFile(join(archive.path, 'notes.txt'), 'mine')
    const { bad, unfinished, strange } = await verified(archive)
    expect({ bad, strange }).toEqual({ bad: [], strange: ['notes.txt'] })
    expect(unfinished).toEqual([expect.stringContaining('-0002-of-0002')])
  })

  it('checks the structure of encrypted files without an identity, and the contents with one', async () => {
    const { identity, recipients } = await keys()
    await using archive = await archiveOfHistory({ bases: [0, 30], recipients })
    const files = await filesIn(archive.destination)
    expect(await verified(archive)).toMatchObject({ whole: 0, structure: files.length, bad: [] })
    expect(await verified(archive, [identity])).toMatchObject({ whole: files.length, structure: 0, bad: [] })
    // Only who has an identity sees that a bit was flipped.
    const name = await flip(archive, /log\/0{14}16-/)
    expect((await verified(archive)).bad).toEqual([])
    expect((await verified(archive, [identity])).bad).toMatchObject([{ name }])
    const { identity: wrong } = await keys()
    expect((await verified(archive, [wrong])).bad).toHaveLength(files.length)
  })
})
