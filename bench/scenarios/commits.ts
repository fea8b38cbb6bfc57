import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from '../../src/config/settings.ts'
import { makeStore } from '../../src/database/open.ts'
import type { CommitCall, Store } from '../../src/database/store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit } from '../../src/records/record.ts'
import { SupabaseProject } from '../../test/support/supabase.ts'
import { registration } from '../load/requests.ts'
import type { BenchOptions, Row, Scenario } from '../scenario.ts'

const loadSize = 100_000

/** The stores without HTTP: commits by writers and batch size, and how long all records take to load. */
export const commits: Scenario = {
  name: 'commits',
  title: 'The stores alone: commits per second, and loading',
  async run(options) {
    await using project = await SupabaseProject.start({ config: { fsync: 'on', synchronous_commit: 'on' } })
    await project.server.query('create database wire')
    const folder = await mkdtemp(join(tmpdir(), 'bench-commits-'))
    const backends: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
      ['memory', {}],
      ['SQLite', { DATABASE_URL: `sqlite:${join(folder, 'bench.db')}` }],
      ['PostgreSQL', { DATABASE_URL: project.server.url('wire') }],
      ['Supabase', { SUPABASE_URL: project.api.url, SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey }],
    ]
    try {
      const rows: Row[] = []
      for (const [name, env] of backends) rows.push(...(await measureBackend({ name, env, options })))
      return rows
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

interface Backend {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly options: BenchOptions
}

async function measureBackend({ name, env, options }: Backend): Promise<Row[]> {
  options.progress(`commits on ${name}`)
  // Each of 64 writers waits for the 63 others.
  const store = await makeStore(readSettings({ ...env, DATABASE_ACQUIRE_TIMEOUT_MS: '120000' }))
  try {
    await store.open()
    const rows: Row[] = []
    for (const writers of [1, 8, 64])
      for (const size of [1, 10, 100])
        rows.push(
          figure(
            `${name}: ${writers} writers, batches of ${size}`,
            await rateOf(store, { writers, size, options }),
          ),
        )
    return [...rows, await measureLoad(store, name)]
  } finally {
    await store.close()
  }
}

const figure = (what: string, measured: string): Row => ({ what, measured, bar: '', aim: '', reached: true })

interface Writing {
  readonly writers: number
  readonly size: number
  readonly options: BenchOptions
}

async function rateOf(store: Store, { writers, size, options }: Writing): Promise<string> {
  const end = performance.now() + options.roundMs
  const started = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: writers }, async () => {
      const writer = randomUUID()
      for (let attempt = 1; performance.now() < end; attempt += 1) {
        // From the newest position: otherwise the reply would carry what the others committed, again and again.
        await commitNew(store, { writer, attempt }, size)
        done += size
      }
    }),
  )
  return `${Math.round((done / (performance.now() - started)) * 1_000).toLocaleString('en')} commits/s`
}

async function commitNew(store: Store, call: CommitCall, size: number): Promise<void> {
  const { position } = await store.head()
  const reply = await store.commit(position, Array.from({ length: size }, newCommit), call)
  if (reply.status !== 'ok' || reply.results.some(({ outcome }) => outcome !== 'accepted'))
    throw new Error(`A commit was not accepted: ${JSON.stringify(reply).slice(0, 300)}`)
}

let made = 0
const run = randomBytes(4).toString('hex')

function newCommit(): Commit {
  made += 1
  const data = canonicalJson(JSON.parse(registration(run, made)))
  return {
    commitId: randomUUID(),
    actor: 'bench',
    writes: [{ op: 'put', kind: 'service', id: randomUUID(), data }],
  }
}

async function measureLoad(store: Store, name: string): Promise<Row> {
  let count = 0
  for await (const page of store.load()) count += page.records.length
  while (count < loadSize) {
    await commitNew(store, { writer: randomUUID(), attempt: 1 }, 500)
    count += 500
  }
  const started = performance.now()
  let loaded = 0
  for await (const page of store.load()) loaded += page.records.length
  const perHundredThousand = ((performance.now() - started) / loaded) * loadSize
  return figure(`${name}: loading 100,000 services`, `${(perHundredThousand / 1_000).toFixed(2)} s`)
}
