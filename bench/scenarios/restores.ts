import { spawn } from 'node:child_process'
import { hash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { FolderDestination } from '../../src/archive/destination/folder-destination.ts'
import type { BasePoint } from '../../src/archive/format/archive-format.ts'
import { recordSize, writeBase } from '../../src/archive/format/write-base.ts'
import { splitLog, writeLog } from '../../src/archive/format/write-log.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { Entry, StoredRecord } from '../../src/records/record.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import { SERVICE_KIND } from '../../src/records/service/service.ts'
import { PostgresServer } from '../../test/support/postgres.ts'
import { spread } from '../compare.ts'
import { registration } from '../load/requests.ts'
import type { BenchOptions, Row, Scenario } from '../scenario.ts'
import { durable } from './registers-remote.ts'

/** Of the services in the archive, so many were registered again after the base: one in ten. */
const LATER = 10
/** How many records, and how many entries, are made at a time. */
const PAGE = 1_000

const entryFile = fileURLToPath(new URL('../../bin/coordinator.js', import.meta.url))

/** `coordinator restore` from a folder, as somebody runs it: with the start of the program, and until the database is open. */
export const restores: Scenario = {
  name: 'restores',
  title: 'Restoring a backup',
  async run(options) {
    const rows: Row[] = []
    await withArchive(100_000, options, async (url) => {
      const sqlite: Restored[] = []
      for (let round = 0; round < options.rounds; round += 1) sqlite.push(await intoSqlite(url))
      rows.push(timeRow('100,000 services into SQLite', sqlite, 10))
      await using server = await PostgresServer.start({ config: durable })
      const postgres: Restored[] = []
      for (let round = 0; round < options.rounds; round += 1) {
        await server.query(`create database restored_${round}`)
        postgres.push(await runRestore(url, server.url(`restored_${round}`)))
      }
      rows.push(timeRow('100,000 services into PostgreSQL', postgres, 20))
    })
    if (options.largest < 1_000_000) return rows
    await withArchive(1_000_000, options, async (url) => {
      const restored = await intoSqlite(url)
      rows.push(timeRow('1,000,000 services into SQLite', [restored], 90), memoryRow(restored))
    })
    return rows
  },
}

interface Restored {
  readonly tookMs: number
  /** The most that was resident, in MiB. */
  readonly peakMib: number
}

function timeRow(what: string, restored: readonly Restored[], barSeconds: number): Row {
  const seconds = spread(restored.map(({ tookMs }) => tookMs / 1_000)).median
  return {
    what: `Restore of ${what}, and of an entry for each tenth of them`,
    measured: `${seconds.toFixed(1)} s, ${Math.max(...restored.map(({ peakMib }) => peakMib)).toFixed(0)} MiB`,
    bar: `<= ${barSeconds} s`,
    aim: `${barSeconds / 2} s`,
    reached: seconds <= barSeconds,
  }
}

function memoryRow({ peakMib }: Restored): Row {
  return {
    what: 'Most memory of a restore of 1,000,000 services into SQLite',
    measured: `${peakMib.toFixed(0)} MiB`,
    bar: '<= 2048 MiB',
    aim: '1024 MiB',
    reached: peakMib <= 2_048,
  }
}

async function intoSqlite(archive: string): Promise<Restored> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-restored-'))
  try {
    return await runRestore(archive, `sqlite:${folder}/restored.db`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runRestore(archive: string, database: string): Promise<Restored> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [entryFile, 'restore', '--from', archive, '--json'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, SUPABASE_URL: '', DATABASE_URL: database },
  })
  let [errors, peakMib] = ['', 0]
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_000)
  })
  const look = setInterval(async () => {
    peakMib = Math.max(peakMib, await peakOf(child.pid as number))
  }, 50)
  const [code] = await once(child, 'exit')
  clearInterval(look)
  if (code !== 0) throw new Error(`coordinator restore ended with ${code}: ${errors}`)
  return { tookMs: performance.now() - startedAt, peakMib }
}

/** The most that a process had resident so far, in MiB; 0 after its end. Linux only. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024
}

/** Makes an archive with one base of so many services and a log after it. */
async function withArchive(
  size: number,
  { progress }: BenchOptions,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-archive-'))
  const destination = new FolderDestination({ path: folder })
  try {
    const lineage = randomUUID()
    const point = { lineage, ancestors: [], revision: size, digest: hash('sha256', lineage), at: size }
    const recordBytes = recordSize(recordOf(0)) * size
    for await (const file of writeBase(point, recordsOf(size), { recordBytes, at: Date.now }))
      await destination.write(file.name, file.content)
    for (const part of logOf(point)) {
      const file = await writeLog(part)
      await destination.write(file.name, file.content)
    }
    progress(`an archive of ${size} services is written`)
    await use(pathToFileURL(folder).href)
  } finally {
    await destination.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Their ids are in order, as a base has them. */
function recordOf(number: number): StoredRecord {
  const revision = number + 1
  return {
    ...{ kind: SERVICE_KIND, id: idOf(number), data: dataOf(number) },
    ...{ revision, createdAt: revision, updatedAt: revision },
  }
}

function idOf(number: number): string {
  const digits = String(number).padStart(12, '0')
  return `00000000-0000-4000-8000-${digits}`
}

function dataOf(number: number) {
  return canonicalJson(parseRegistration(JSON.parse(registration('restored', number))).registration)
}

async function* recordsOf(size: number): AsyncGenerator<readonly StoredRecord[]> {
  for (let start = 0; start < size; start += PAGE)
    yield Array.from({ length: Math.min(PAGE, size - start) }, (_, index) => recordOf(start + index))
}

/** The log files after a base. Each entry writes one of its records again. */
function* logOf({ lineage, ancestors, ...base }: BasePoint) {
  let { revision, digest } = base
  for (let start = 0; start < base.revision / LATER; start += PAGE) {
    const after = { lineage, revision, digest }
    const entries = Array.from(
      { length: Math.min(PAGE, base.revision / LATER - start) },
      (_, index): Entry => {
        const number = (start + index) * LATER
        const commitId = randomUUID()
        revision += 1
        digest = nextDigest(digest, commitId)
        const write = { op: 'put', kind: SERVICE_KIND, id: idOf(number), data: dataOf(number + 1) } as const
        return { revision, commitId, at: revision, actor: 'bench', digest, writes: [write] }
      },
    )
    yield* splitLog({ lineage, ancestors, after, entries })
  }
}
