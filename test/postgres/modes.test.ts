import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { StoreMode } from '../../src/database/store.ts'
import { commitOf, newCall, put, tokenOf } from '../conformance/build.ts'
import { accepted, Caller, loadAll, recordsAsOf, refusal } from '../conformance/caller.ts'
import { Source } from '../conformance/source.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer, type PostgresVersion } from '../support/postgres.ts'

const closed = ['seeding', 'copy', 'frozen'] as const satisfies readonly StoreMode[]

describe.each([18, 15] as const)('modes of a schema, on PostgreSQL %i', (version: PostgresVersion) => {
  let server: PostgresServer
  let store: PostgresStore
  let schema: string
  let made = 0

  beforeAll(async () => {
    server = await PostgresServer.start({ version })
  })
  afterAll(() => server.dispose())

  beforeEach(async () => {
    made += 1
    schema = `mode_${made}`
    store = new PostgresStore(storeOptions(server, { schema }))
    await store.open()
    return () => store.close()
  })

  /** A history of three commits, in a mode. */
  async function holding(mode: StoreMode): Promise<Source> {
    const source = await Source.of([commitOf(put('a')), commitOf(put('b')), commitOf(put('a', { v: 2 }))])
    await source.seedInto(store, 2)
    await source.replayInto(store, 2)
    if (mode === 'frozen') await store.setMode('seeding', 'open')
    if (mode !== 'seeding') await store.setMode(mode === 'frozen' ? 'open' : 'seeding', mode)
    return source
  }

  const byHand = (sql: string) => server.query(`set search_path = ${schema}; ${sql}`)

  /** Calls a function as a program with another schema number does. */
  async function callAs(number: number, name: string, argument: object): Promise<unknown> {
    const text = JSON.stringify({ schema: number, ...argument }).replaceAll("'", "''")
    const [row] = await server.query<{ reply: unknown }>(`select ${schema}.${name}('${text}') as reply`)
    return row?.reply
  }

  it.each(closed)('%s refuses every change by hand, and the message names it', async (mode) => {
    const source = await holding(mode)
    const before = await store.head()
    for (const sql of [
      `insert into records (kind, id, data) values ('service', 'c', '{}')`,
      `update records set data = '{}' where id = 'a'`,
      `delete from records where id = 'nobody'`,
      'delete from records',
    ])
      await expect(byHand(sql)).rejects.toMatchObject({
        code: '55K03',
        message: expect.stringMatching(
          new RegExp(
            `^(INSERT|UPDATE|DELETE) of ${schema}\\.records by hand is refused: the mode of the schema is ${mode}\\.$`,
          ),
        ),
      })
    expect(await store.head()).toEqual(before)
    expect(before.position).toEqual(source.caller.position)
  })

  it('takes a change by hand again once it is open', async () => {
    const source = await holding('copy')
    await store.setMode('copy', 'open')
    await byHand(`update records set data = '{"v": 3}' where id = 'a'`)
    const { position } = await store.head()
    expect(position.revision).toBe(source.caller.position.revision + 1)
    expect((await store.history('service', 'a')).previous).toEqual([3, 1])
    expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
  })

  it('lets nobody truncate a table, in any mode', async () => {
    for (const mode of ['open', ...closed] as const) {
      if (mode !== 'open') await store.setMode('open', mode)
      for (const table of [
        'head',
        'records',
        'tombstones',
        'journal',
        'unchanged',
        'writers',
        'access_tokens',
      ])
        await expect(byHand(`truncate ${table}`)).rejects.toThrow(
          `TRUNCATE of ${schema}.${table} by hand is refused`,
        )
      if (mode !== 'open') await store.setMode(mode, 'open')
    }
  })

  it('refuses a commit that waited for the head while the store was frozen, and the same one is stored later', async () => {
    const caller = await Caller.at(store)
    accepted(await caller.write(put('a')))
    const commit = commitOf(put('b'))
    const other = new PostgresStore(storeOptions(server, { schema }))
    const waiting = (count: number) =>
      expect.poll(async () => (await server.sessionsWaiting('Lock')).length).toBe(count)
    try {
      let frozen: ReturnType<PostgresStore['setMode']>
      let late: ReturnType<Caller['send']>
      {
        await using _ = await server.leaveOpen(`select from ${schema}.head for update`)
        frozen = other.setMode('open', 'frozen')
        await waiting(1)
        late = caller.send(commit)
        await waiting(2)
      }
      expect(await frozen).toMatchObject({ mode: 'frozen', position: { revision: 1 } })
      expect(refusal((await late)[0])).toMatchObject({ code: 'COORD_STORE_FROZEN', outcome: 'not_written' })
      expect((await store.head()).position.revision).toBe(1)
      await other.setMode('frozen', 'open')
      expect(accepted((await caller.send(commit))[0])).toMatchObject({ revision: 2, replayed: false })
    } finally {
      await other.close()
    }
  })

  it.each(closed)(
    '%s takes no write of a program that knows no modes, and shows it what others see',
    async (mode) => {
      const { caller } = await holding(mode)
      const after = caller.position
      const commit = {
        call: newCall(),
        after,
        limit: 10,
        batch: [{ ...commitOf(), writes: [{ op: 'put', kind: 'service', id: 'd', data: {} }] }],
      }
      const tooOld = { status: 'too_old', oldest: 10 }
      expect(await callAs(9, 'commit', commit)).toMatchObject(tooOld)
      expect(await callAs(9, 'compact', { floor: 3, limit: 10 })).toMatchObject(tooOld)
      expect(await callAs(9, 'fork', { from: after })).toMatchObject(tooOld)
      expect(await callAs(9, 'adopt', { lineage: after.lineage })).toMatchObject(tooOld)
      expect(await callAs(9, 'access_put', { token: tokenOf('ci') })).toMatchObject(tooOld)
      expect(await callAs(9, 'changes', { after, limit: 10 })).toMatchObject({ status: 'ok', mode })
      expect((await store.head()).position).toEqual(after)
      if (mode === 'frozen') await store.setMode('frozen', 'open')
      else await store.setMode(mode, 'open')
      expect(await callAs(9, 'commit', { ...commit, call: newCall() })).toMatchObject({ status: 'ok' })
    },
  )

  it('is changed, and filled, only by the owner, whatever rights another role has', async () => {
    const role = `runner_${made}_${version}`
    await server.query(`create role ${role} login bypassrls; grant usage on schema ${schema} to ${role};
      grant execute on all functions in schema ${schema} to ${role};
      grant all on all tables in schema ${schema} to ${role}`)
    const runner = new PostgresStore(storeOptions(server, { schema, role, autoMigrate: false }))
    const source = await Source.of([commitOf(put('a'))])
    const refused = { code: 'COORD_STORE_RIGHTS', outcome: 'not_written' }
    try {
      await runner.open()
      await expect(runner.setMode('open', 'frozen')).rejects.toMatchObject(refused)
      await store.setMode('open', 'seeding')
      await expect(runner.seed(await source.pointAt(1), [])).rejects.toMatchObject(refused)
      await expect(runner.setMode('seeding', 'open')).rejects.toMatchObject(refused)
      await source.seedInto(store, 0)
      await expect(runner.replay(source.caller.position, [])).rejects.toMatchObject(refused)
      await expect(runner.access.seed({ requiredSince: null, tokens: [] })).rejects.toMatchObject(refused)
      await store.setMode('seeding', 'open')
      accepted(await (await Caller.at(runner)).write(put('b')))
    } finally {
      await runner.close()
    }
  })

  it('is told by the inspector', async () => {
    for (const mode of closed) {
      await store.setMode('open', mode)
      expect((await store.inspector.inspect()).details).toMatchObject({ mode })
      await store.setMode(mode, 'open')
    }
    expect((await store.inspector.inspect()).details).toMatchObject({ mode: 'open' })
  })

  it.each(['copy', 'frozen'] as const)(
    'of a backup that was taken in mode %s ends with the command after its restore: it is a history of its own',
    async (mode) => {
      const { caller } = await holding(mode)
      const head = await store.mendHead()
      expect(head).toMatchObject({ mode: 'open', ancestors: [caller.position.lineage] })
      expect(await store.head()).toEqual(head)
      accepted(await (await Caller.at(store)).write(put('c')))
    },
  )

  it('of a backup that was taken while it was seeded stays: half of a restore never looks like a whole one', async () => {
    await holding('seeding')
    expect(await store.mendHead()).toMatchObject({ mode: 'seeding' })
    await expect(loadAll(store)).rejects.toMatchObject({ code: 'COORD_STORE_FROZEN' })
  })
})

describe('a seeded schema', () => {
  let server: PostgresServer
  let made = 0

  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  afterAll(() => server.dispose())

  async function withStore(body: (store: PostgresStore, schema: string) => Promise<void>): Promise<void> {
    const schema = `seeded_${++made}`
    const store = new PostgresStore(storeOptions(server, { schema }))
    try {
      await store.open()
      await body(store, schema)
    } finally {
      await store.close()
    }
  }

  it('whose head was lost gives no moment that it does not have, though every revision has its version', () =>
    withStore(async (store, schema) => {
      // Revision 1 wrote `b`, too: what `b` was then is not known.
      const source = await Source.of([
        commitOf(put('a'), put('b')),
        commitOf(put('b', { v: 2 })),
        commitOf(put('c')),
      ])
      await source.moveInto(store, 3)
      await server.query(`begin; select set_config('${schema}.writer', 'on', true);
        update ${schema}.head set lineage = f.lineage, digest = f.lineage::text, first_digest = f.lineage::text, revision = 0, floor = 0,
          swept = 0, first_revision = 0 from (select gen_random_uuid() as lineage) f; commit`)
      await expect(store.head()).rejects.toMatchObject({ code: 'COORD_STORE_DAMAGED' })
      expect(await store.mendHead()).toMatchObject({ floor: 3, position: { revision: 3 } })
      expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
      expect((await recordsAsOf(store, { revision: 3 })).records).toEqual(await source.recordsAt(3))
    }))

  it('is as a new one for the migrator, and compaction removes its versions when they are no longer needed', () =>
    withStore(async (store, schema) => {
      const source = await Source.of([commitOf(put('a')), commitOf(put('b')), commitOf(put('c'))])
      await source.moveInto(store, 3)
      const rows = async () =>
        (await server.query(`select revision::integer from ${schema}.journal order by 1`)).map(
          (row) => row['revision'],
        )
      expect(await rows()).toEqual([1, 2, 3])
      const caller = await Caller.at(store)
      await caller.send(commitOf(put('a', { v: 2 })), commitOf(put('c', { v: 2 })))
      await store.compact(5)
      expect(await rows()).toEqual([2, 4, 5])
      expect(await store.migrator.verify()).toEqual([])
      expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
    }))

  it('waits for who reads its tables before another seed removes them, and can be seeded once the reader has gone', () =>
    withStore(async (store, schema) => {
      const source = await Source.of([commitOf(put('a')), commitOf(put('b'))])
      await source.seedInto(store, 1)
      const before = await store.head()
      {
        // As `pg_dump` does it.
        await using _ = await server.leaveOpen(`select from ${schema}.records`)
        await expect(store.seed(await source.pointAt(2), [])).rejects.toMatchObject({
          code: 'COORD_STORE_BUSY',
          retryable: true,
          outcome: 'not_written',
        })
      }
      expect(await store.head()).toEqual(before)
      await source.moveInto(store, 2)
      await source.expectIn(store, 2)
    }))

  it('is filled on where it was, when the server was killed between the parts', async () => {
    await using own = await PostgresServer.start({ config: { fsync: 'on' } })
    const commits = Array.from({ length: 12 }, (_, v) => commitOf(put(`r${v % 5}`, { v })))
    const source = await Source.of(commits)
    const store = new PostgresStore(storeOptions(own))
    try {
      await store.open()
      await store.setMode('open', 'seeding')
      const point = await source.pointAt(6)
      await store.seed(point, (await source.recordsAt(6)).slice(0, 2))
      await own.kill()
      await own.start()
      await expect
        .poll(() =>
          store.head().then(
            ({ mode }) => mode,
            () => undefined,
          ),
        )
        .toBe('seeding')
      await expect(loadAll(store)).rejects.toMatchObject({ code: 'COORD_STORE_FROZEN' })
      await source.seedInto(store, 6)
      await source.replayInto(store, 6, { upTo: 9 })
      await own.kill()
      await own.start()
      await expect
        .poll(() =>
          store.head().then(
            ({ position }) => position.revision,
            () => 0,
          ),
        )
        .toBe(9)
      await source.replayInto(store, 6)
      await store.setMode('seeding', 'open')
      await source.expectIn(store, 6)
    } finally {
      await store.close()
    }
  })
})
