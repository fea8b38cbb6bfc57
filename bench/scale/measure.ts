/**
 * Measures memory, database sizes and archive sizes, and writes `measured.json`, which the formulas of `estimate.ts` are tested against.
 * Memory does not depend on how busy the machine is. Takes some minutes, 4 GiB of memory and 2 GiB of disk.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { glob, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readSettings } from '../../src/config/settings.ts'
import { makeStore } from '../../src/database/open.ts'
import { PostgresServer } from '../../test/support/postgres.ts'
import { registerMany } from '../coordinator-process.ts'
import { fillStore } from './fill-store.ts'
import type { MemoryFigures, Order } from './measured-coordinator.ts'
import { realRegistration, type Shape } from './real-registrations.ts'

/** How many services the measurements have that compare shapes, histories and readers. */
const few = 20_000
const largest = Number(process.env['BENCH_LARGEST'] ?? 1_000_000)
const connections = 5_000

interface Point extends Shape {
  readonly services: number
  readonly revisions: number
  /** The mean length of a stored registration. */
  readonly bytes: number
}

interface FilledWith {
  readonly services: number
  readonly rounds: number
  readonly shape: Shape
  readonly afterRound?: () => Promise<void>
}

async function filled(url: string, { services, rounds, shape, ...more }: FilledWith): Promise<Point> {
  const store = await makeStore(readSettings({ DATABASE_URL: url, DATABASE_STATEMENT_TIMEOUT_MS: '60000' }))
  try {
    const bodyOf = (number: number, round: number) => realRegistration(number, shape, round)
    const { textBytes } = await fillStore(store, { size: services, rounds, bodyOf, ...more })
    return {
      services,
      revisions: services * rounds,
      bytes: services === 0 ? 0 : textBytes / services,
      ...shape,
    }
  } finally {
    await store.close()
  }
}

async function withCoordinator<T>(
  order: Order,
  use: (first: MemoryFigures, again: () => Promise<MemoryFigures>) => Promise<T>,
): Promise<T> {
  const child = fork(new URL('measured-coordinator.ts', import.meta.url), [JSON.stringify(order)], {
    execArgv: ['--expose-gc', '--max-old-space-size=8192'],
  })
  const figures = async () => {
    const [message] = await once(child, 'message', { signal: AbortSignal.timeout(600_000) })
    return message as MemoryFigures
  }
  try {
    return await use(await figures(), () => {
      child.send('measure')
      return figures()
    })
  } finally {
    const ended = once(child, 'exit')
    child.send('end')
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
    await ended
    clearTimeout(timer)
  }
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'coordinator-scale-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The memory of a coordinator that loaded its services from a SQLite file, and the size of that file. */
function onSqlite(services: number, shape: Shape = {}, rounds = 1) {
  return inFolder(async (folder) => {
    const path = join(folder, 'scale.db')
    const point = await filled(`sqlite:${path}`, { services, rounds, shape })
    const { size } = await stat(path)
    const row = await withCoordinator({ env: { DATABASE_URL: `sqlite:${path}` } }, async (figures) => ({
      ...point,
      ...figuresOf(figures),
      database: size,
    }))
    progress('SQLite', row)
    return row
  })
}

function figuresOf({ heap, estimated, resident, startMs }: MemoryFigures) {
  return { heap, estimated, resident, startMs: Math.round(startMs) }
}

function inMemory(rounds: number) {
  const env = { JOURNAL_MEMORY_MIB: '4096' }
  return withCoordinator({ env, fill: { size: few, rounds, shape: {} } }, async (figures) => {
    const bytes = figures.textBytes / few
    const row = { services: few, revisions: few * rounds, bytes, ...figuresOf(figures) }
    progress('memory', row)
    return row
  })
}

async function onPostgres(server: PostgresServer, shape: Shape, rounds: number) {
  const database = `scale_${rounds}_${shape.extraBytes ?? 0}`
  await server.query(`create database ${database}`)
  const url = server.url(database)
  // Makes the tables.
  await filled(url, { services: 0, rounds: 0, shape })
  const before = await databaseSize(server, database)
  // As autovacuum does it beside slower writes: it makes the place of old versions of the records free to use again.
  const afterRound = async () => {
    await server.query('vacuum', database)
  }
  const point = await filled(url, { services: few, rounds, shape, afterRound })
  const row = { ...point, database: (await databaseSize(server, database)) - before }
  progress('PostgreSQL', row)
  return row
}

async function databaseSize(server: PostgresServer, database: string): Promise<number> {
  const rows = await server.query<{ size: string }>(`select pg_database_size('${database}') as size`)
  return Number(rows[0]?.size)
}

/** The archive of a coordinator that found `few` services in its database: their base. */
function archivedBase(shape: Shape = {}) {
  return inFolder(async (folder) => {
    const path = join(folder, 'scale.db')
    const point = await filled(`sqlite:${path}`, { services: few, rounds: 1, shape })
    const files = await archiveOf(folder, () => Promise.resolve())
    const row = { ...point, base: sizeOf(files, 'base') }
    progress('base', row)
    return row
  })
}

/** The journal in the archive of a coordinator where every service of a thousand is registered some times. */
function archivedJournal(times: number, { shape = {}, atOnce }: { shape?: Shape; atOnce: number }) {
  return inFolder(async (folder) => {
    const bodies = Array.from({ length: times }, (_, time) => realRegistration(time % 1_000, shape, time))
    const files = await archiveOf(folder, async (port) => {
      for (let start = 0; start < times; start += atOnce) {
        await registerMany(port, bodies.slice(start, start + atOnce))
        // Longer than the interval of the archive: each of these parts has a file of its own.
        await sleep(1_500)
      }
    })
    const bytes = bodies.reduce((sum, { length }) => sum + length, 0) / times
    const journal = [...files.keys()].filter((name) => name.includes('/log/'))
    const row = { revisions: times, bytes, files: journal.length, journal: sizeOf(files, 'log') }
    progress('journal', row)
    return row
  })
}

async function archiveOf(
  folder: string,
  write: (port: number) => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const env = {
    DATABASE_URL: `sqlite:${join(folder, 'scale.db')}`,
    BACKUP_URL: `file://${join(folder, 'backup')}`,
    BACKUP_INTERVAL_MS: '1000',
  }
  await withCoordinator({ env }, async ({ port }, again) => {
    await write(port)
    const until = Date.now() + 60_000
    while (!(await again()).isArchived) {
      if (Date.now() > until) throw new Error('The archive was not complete after a minute.')
      await sleep(500)
    }
  })
  const files = new Map<string, number>()
  for await (const name of glob('**/*.zst', { cwd: join(folder, 'backup') }))
    files.set(name, (await stat(join(folder, 'backup', name))).size)
  return files
}

function sizeOf(files: ReadonlyMap<string, number>, part: string): number {
  return [...files].reduce((sum, [name, size]) => (name.includes(`/${part}/`) ? sum + size : sum), 0)
}

async function connected(kind: string, request: string) {
  const env = { CONNECTIONS_MAX: String(connections + 100) }
  return withCoordinator({ env }, async (before, again) => {
    const args = [String(before.port), String(connections), request]
    const child = fork(new URL('open-connections.ts', import.meta.url), args)
    try {
      await once(child, 'message', { signal: AbortSignal.timeout(60_000) })
      await sleep(2_000)
      const after = await again()
      const row = {
        ...{ kind, connections },
        heap: after.heap - before.heap,
        resident: after.resident - before.resident,
      }
      progress('connections', row)
      return row
    } finally {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    }
  })
}

function progress(what: string, row: object): void {
  console.error(what, JSON.stringify(row))
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`
const sizes = [0, 1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= largest)

const shapes: readonly Shape[] = [
  { extraBytes: 1_000 },
  { extraBytes: 4_000 },
  { dependencies: 0 },
  { dependencies: 10 },
  { dependencies: 30 },
]

const parts = {
  readers: async () => [
    await connected('idle connection', get('/health/live')),
    await connected('waiting question', get('/changes?wait=30')),
    await connected('stream', get('/changes', 'Accept: text/event-stream\r\n')),
  ],
  memory: async () => [await inMemory(1), await inMemory(5)],
  bases: async () => [await archivedBase(), await archivedBase({ extraBytes: 1_000 })],
  journals: async () => [
    await archivedJournal(20_000, { atOnce: 10_000 }),
    await archivedJournal(100, { atOnce: 10 }),
    await archivedJournal(5, { atOnce: 1 }),
  ],
  postgres: async () => {
    await using server = await PostgresServer.start()
    return [
      await onPostgres(server, {}, 1),
      await onPostgres(server, {}, 5),
      await onPostgres(server, { extraBytes: 400 }, 3),
      await onPostgres(server, { extraBytes: 1_000 }, 5),
    ]
  },
  sqlite: async () => {
    const rows = []
    for (const shape of shapes) rows.push(await onSqlite(few, shape))
    rows.push(await onSqlite(few, {}, 5))
    for (const size of sizes) rows.push(await onSqlite(size))
    return rows
  },
}

const file = new URL('measured.json', import.meta.url)
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in parts))
if (unknown.length > 0)
  throw new Error(`There is no part ${unknown.join(', ')}: choose of ${Object.keys(parts).join(', ')}.`)
const measured = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Record<string, unknown>
for (const [name, measure] of Object.entries(parts))
  if (wanted.length === 0 || wanted.includes(name)) measured[name] = await measure()
Object.assign(measured, { date: new Date().toISOString().slice(0, 10), node: process.versions.node })
await writeFile(file, `${JSON.stringify(measured, undefined, 2)}\n`)
