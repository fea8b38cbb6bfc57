import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SnapshotFolder } from '../../../src/archive/snapshot/snapshot-folder.ts'
import { DATABASE, ServedRecords } from './served-records.ts'

/** Writes a snapshot into a file system of 1 MiB, fills it, and prints what a second one there comes to. */
const path = process.argv[2] ?? ''
const records = new ServedRecords()
const told: string[] = []
const observer = {
  failing: ({ code, hint }: { code: string; hint: string }) => told.push(code, hint),
  recovered: () => told.push('recovered'),
}
records.add(100)
const writer = records.writer(path, { intervalMs: 10, share: 1, observer })
writer.start()
await until(async () => (await whole()) === 1)
await writeFile(join(path, 'ballast'), new Uint8Array(1_048_576)).catch(() => undefined)
records.add(2_000)
records.confirmedAt += 1
await until(async () => told.length > 0)
const left = { whole: await whole(), folders: (await readdir(join(path, DATABASE))).length }
await rm(join(path, 'ballast'))
records.add(1)
await until(async () => told.includes('recovered'))
await writer.finish(10_000)
process.stdout.write(JSON.stringify({ told, left, afterwards: await whole() }))

async function whole(): Promise<number> {
  return (await new SnapshotFolder(path, DATABASE).list(Date.now())).length
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 5))
}
