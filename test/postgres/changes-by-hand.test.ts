import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { Entry } from '../../src/records/record.ts'
import { commitOf, idsOf, newCall, put, remove } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer, type PostgresVersion } from '../support/postgres.ts'

describe.each([18, 15] as const)('changes by hand, on PostgreSQL %i', (version: PostgresVersion) => {
  let server: PostgresServer
  let store: PostgresStore
  let caller: Caller
  let schema: string
  let made = 0

  beforeAll(async () => {
    server = await PostgresServer.start({ version })
  })
  afterAll(() => server.dispose())

  beforeEach(async () => {
    made += 1
    schema = `hand_${made}`
    store = new PostgresStore(storeOptions(server, { schema }))
    const { position } = await store.open()
    caller = new Caller(store, position)
    return () => store.close()
  })

  /** Runs SQL by hand, and answers what it added to the journal. */
  async function byHand(sql: string): Promise<readonly Entry[]> {
    const before = (await store.head()).position
    await server.query(`set search_path = ${schema}; ${sql}`)
    return entriesAfter(before.revision)
  }

  async function entriesAfter(revision: number): Promise<readonly Entry[]> {
    const { lineage } = (await store.head()).position
    const reply = await store.changes({ lineage, revision: 0, digest: lineage }, 10_000)
    if (reply.status !== 'ok') throw new Error(reply.status)
    return reply.entries.filter((entry) => entry.revision > revision)
  }

  /** The journal has every revision, its digests chain, and it leads to exactly the records that are there. */
  async function expectWhole(): Promise<void> {
    const { lineage, revision, digest: newest } = (await store.head()).position
    const found = new Map<string, string>()
    let digest = lineage
    const entries = await entriesAfter(0)
    expect(entries.map((entry) => entry.revision)).toEqual(Array.from({ length: revision }, (_, n) => n + 1))
    for (const entry of entries) {
      digest = nextDigest(digest, entry.commitId)
      expect(entry.digest).toBe(digest)
      for (const write of entry.writes) {
        if (write.op === 'put') found.set(`${write.kind} ${write.id}`, write.data)
        else found.delete(`${write.kind} ${write.id}`)
      }
    }
    expect(newest).toBe(digest)
    const { records } = await loadAll(store)
    expect(new Map(records.map(({ kind, id, data }) => [`${kind} ${id}`, data]))).toEqual(found)
  }

  const shape = (entries: readonly Entry[]) =>
    entries.map(({ writes }) => writes.map(({ op, id }) => `${op} ${id}`).join(', '))

  it('make each inserted row a commit of its own, by the role that did it', async () => {
    const entries = await byHand(
      `insert into records (kind, id, data) values ('service', 'a', '{"v": 1}'), ('service', 'b', '{}')`,
    )
    expect(shape(entries)).toEqual(['put a', 'put b'])
    expect(entries.map(({ actor }) => actor)).toEqual(['sql:postgres', 'sql:postgres'])
    const { records } = await loadAll(store)
    expect(
      records.map(({ id, data, revision, createdAt, updatedAt }) => [
        id,
        data,
        revision,
        createdAt === updatedAt,
      ]),
    ).toEqual([
      ['a', '{"v":1}', 1, true],
      ['b', '{}', 2, true],
    ])
  })

  it('continue the chain of digests and of times', async () => {
    accepted(await caller.write(put('a')))
    const before = await store.head()
    const [entry] = await byHand(`insert into records (kind, id, data) values ('service', 'b', '{}')`)
    expect(entry?.digest).toBe(nextDigest(before.position.digest, entry?.commitId ?? ''))
    expect(entry?.at).toBeGreaterThanOrEqual(before.at)
    expect((await store.head()).position).toMatchObject({ revision: 2, digest: entry?.digest })
    accepted(await caller.write(put('c')))
    expect(shape(await entriesAfter(0))).toEqual(['put a', 'put b', 'put c'])
  })

  it('make updates, deletes and new keys commits', async () => {
    await caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(put('c')))
    expect(shape(await byHand(`update records set data = data || '{"w": 2}' where id <> 'c'`))).toEqual([
      'put a',
      'put b',
    ])
    expect(shape(await byHand(`update records set id = 'd' where id = 'c'`))).toEqual(['delete c, put d'])
    expect(shape(await byHand(`delete from records where id = 'a'`))).toEqual(['delete a'])
    expect(shape(await byHand(`insert into records (kind, id, data) values ('service', 'a', '{}')`))).toEqual(
      ['put a'],
    )
    const { records, tombstones } = await loadAll(store)
    expect(records.map(({ id }) => id)).toEqual(['a', 'b', 'd'])
    expect(tombstones.map(({ id }) => id)).toEqual(['c'])
    const { entries, previous, complete } = await store.history('service', 'a')
    expect(entries.map(({ writes: [write] }) => write?.op)).toEqual(['put', 'delete', 'put', 'put'])
    expect([previous.length, complete]).toEqual([4, true])
  })

  it('leave nothing in the journal that changed nothing', async () => {
    await caller.write(put('a', { v: 1 }))
    expect(await byHand(`update records set data = '{"v": 1.0}', revision = 99, created_at = 5`)).toEqual([])
    expect(await byHand(`delete from records where id = 'x'`)).toEqual([])
    expect(
      await byHand(`begin; insert into records (kind, id, data) values ('service', 'x', '{}'); rollback`),
    ).toEqual([])
    expect((await loadAll(store)).records).toMatchObject([{ id: 'a', revision: 1 }])
    expect((await caller.write(put('a', { v: 1 }))).outcome).toBe('unchanged')
  })

  it('count right under upserts and merges', async () => {
    await caller.send(commitOf(put('a')), commitOf(put('b')))
    const upsert = await byHand(`insert into records (kind, id, data)
      values ('service', 'a', '{"v": 2}'), ('service', 'c', '{}'), ('service', 'b', '{"v": 1}')
      on conflict (kind, id) do update set data = excluded.data`)
    expect(shape(upsert).sort()).toEqual(['put a', 'put c'])
    expect(
      await byHand(
        `insert into records (kind, id, data) values ('service', 'a', '{}') on conflict do nothing`,
      ),
    ).toEqual([])
    const merge = await byHand(`merge into records r
      using (values ('a', null), ('b', '{"v": 3}'), ('n', '{}')) s (id, data) on r.kind = 'service' and r.id = s.id
      when matched and s.data is null then delete
      when matched then update set data = s.data::jsonb
      when not matched then insert (kind, id, data) values ('service', s.id, s.data::jsonb)`)
    expect(shape(merge).sort()).toEqual(['delete a', 'put b', 'put n'])
    const head = await store.head()
    expect((await entriesAfter(0)).map(({ revision }) => revision)).toEqual(
      idsOf('', head.position.revision).map((_, index) => index + 1),
    )
  })

  it('take 5,000 rows in one statement, and write the head once for all of them', async () => {
    await byHand(
      `insert into records (kind, id, data) select 'service', 's' || g, '{}' from generate_series(1, 5000) g`,
    )
    expect(shape(await byHand(`delete from records`))).toHaveLength(5_000)
    expect((await store.head()).position.revision).toBe(10_000)
    // Each version of the row takes about 220 bytes; with one for each record, reading it would take longer and longer.
    const [head] = await server.query(`select pg_relation_size('${schema}.head')::integer as bytes`)
    expect(head?.['bytes']).toBe(8_192)
  })

  it('come by every way that SQL knows, several in one statement too', async () => {
    expect(
      shape(
        await byHand(
          `copy records (kind, id, data) from program 'printf "service\\ta\\t{}\\nservice\\tb\\t{}\\n"'`,
        ),
      ),
    ).toEqual(['put a', 'put b'])
    const mixed = await byHand(`with gone as (delete from records where id = 'a' returning kind, id),
      changed as (update records set data = '{"v": 2}' where id = 'b')
      insert into records (kind, id, data) select kind, id, '{"v": 2}' from gone`)
    expect(shape(mixed).sort()).toEqual(['delete a', 'put a', 'put b'])
    await expectWhole()
  })

  it('made by somebody else’s triggers while a statement goes on are in their place', async () => {
    await server.query(`set search_path = ${schema};
      create function copies() returns trigger language plpgsql as $$ begin
        if new.id = tg_argv[0] then
          insert into ${schema}.records (kind, id, data) values (new.kind, new.id || 1, '{}'), (new.kind, new.id || 2, '{}');
        end if;
        return null;
      end $$;
      create trigger before_ours after insert on records for each row execute function copies('a');
      create trigger later_than_ours after insert on records for each row execute function copies('b')`)
    const entries = await byHand(
      `insert into records (kind, id, data) values ('service', 'a', '{}'), ('service', 'b', '{}')`,
    )
    expect(shape(entries).sort()).toEqual(['put a', 'put a1', 'put a2', 'put b', 'put b1', 'put b2'])
    await expectWhole()
  })

  it('that are taken back to a savepoint leave no gap', async () => {
    const insert = (id: string) => `insert into records (kind, id, data) values ('service', '${id}', '{}')`
    const entries = await byHand(`begin; ${insert('a')}; savepoint here; ${insert('b')}; ${insert('c')};
      rollback to here; ${insert('d')}; release here; ${insert('e')}; commit`)
    expect(shape(entries)).toEqual(['put a', 'put d', 'put e'])
    await expectWhole()
  })

  it('in a transaction after a commit by the functions that failed, or was refused, are seen all the same', async () => {
    for (const argument of [
      '{"schema": 0}',
      '{"schema": 9, "after": {}, "batch": []}',
      '{"schema": 9, "from": "x"}',
    ])
      for (const name of ['commit', 'compact', 'fork'])
        await byHand(`begin; savepoint here; do $$ begin perform ${name}('${argument}'); exception when others then null; end $$;
          insert into records (kind, id, data) values ('${name}', '${argument.length}', '{}'); commit`)
    expect(await entriesAfter(0)).toHaveLength(9)
    await expectWhole()
  })

  it('can be looked back at as all others', async () => {
    await byHand(`insert into records (kind, id, data) values ('service', 'a', '{"v": 1}')`)
    await byHand(`update records set data = '{"v": 2}'; delete from records`)
    const at = async (revision: number) =>
      (await Array.fromAsync(store.asOf({ revision }))).flatMap(({ records }) =>
        records.map(({ data }) => data),
      )
    expect([await at(1), await at(2), await at(3)]).toEqual([['{"v":1}'], ['{"v":2}'], []])
  })

  it.each([
    ['9007199254740993', '{"n":9007199254740992}'],
    ['0.1000000000000000055511151231257827', '{"n":0.1}'],
    ['1e21', '{"n":1e+21}'],
    ['[{"deep": 12345678901234567890}]', '{"n":[{"deep":12345678901234567000}]}'],
    ['5e-324', '{"n":5e-324}'],
    ['-0', '{"n":0}'],
    ['1.0', '{"n":1}'],
  ])('store the number %s as every reader has it', async (text, data) => {
    await byHand(`insert into records (kind, id, data) values ('service', 'a', '{"n": ${text}}')`)
    expect((await loadAll(store)).records.map((record) => record.data)).toEqual([data])
    // What was read is what is there: writing it again changes nothing.
    expect((await caller.write(put('a', JSON.parse(data)))).outcome).toBe('unchanged')
  })

  it.each([
    [
      'a number that no reader of JSON can hold',
      `insert into records (kind, id, data) values ('service', 'a', '{"n": 1e400}')`,
      '22003',
    ],
    ['data that is no object', `insert into records (kind, id, data) values ('service', 'a', '[]')`, '23514'],
    ['an empty id', `insert into records (kind, id, data) values ('service', '', '{}')`, '23514'],
    [
      'an id of 513 characters',
      `insert into records (kind, id, data) values ('service', repeat('x', 513), '{}')`,
      '23514',
    ],
    ['truncating', 'truncate records', '42501'],
    ['the journal', `delete from journal`, '42501'],
    ['the head', `update head set revision = 7`, '42501'],
    ['tombstones', `insert into tombstones values ('service', 'a', 1)`, '42501'],
    ['truncating the journal', `truncate journal`, '42501'],
    ['the calls of writers', `insert into writers values (gen_random_uuid(), 1, 1)`, '42501'],
    ['truncating the calls of writers', `truncate writers`, '42501'],
    ['commits that changed nothing', `delete from unchanged`, '42501'],
    ['truncating commits that changed nothing', `truncate unchanged`, '42501'],
    [
      'a token of their own',
      `insert into access_tokens values ('aaaaaaaaaaaa', 'a', '["admin"]', repeat('a', 64), 1, 'me')`,
      '42501',
    ],
    ['a revocation', `update access_tokens set revoked_at = null, revoked_by = null`, '42501'],
    ['removing tokens', `delete from access_tokens`, '42501'],
    ['truncating tokens', `truncate access_tokens`, '42501'],
    ['the version of the tokens', `update head set access_version = gen_random_uuid()`, '42501'],
  ])('are refused for %s, and leave nothing behind', async (_what, sql, code) => {
    await expect(byHand(sql)).rejects.toMatchObject({ code })
    expect(await store.head()).toMatchObject({ position: { revision: 0 } })
    accepted(await caller.write(put('a')))
  })

  it('of numbers that only a switched off trigger lets in do not stop a reader', async () => {
    await caller.write(put('a'))
    await server.query(`begin; select set_config('${schema}.writer', 'on', true);
      update ${schema}.records set data = '{"n": 1e400, "m": -1e400}'; commit`)
    expect((await loadAll(store)).records.map(({ data }) => data)).toEqual([
      '{"m":-1.7976931348623157e+308,"n":1.7976931348623157e+308}',
    ])
  })

  it('and batches of commits at the same moment wait for each other, without deadlock or loss', async () => {
    const hands = idsOf('hand', 8).map(async (hand, index) => {
      for (let step = 0; step < 10; step += 1) {
        await server.query(`set search_path = ${schema};
          insert into records (kind, id, data) select 'service', 'r' || g, '{"by": "${hand}${step}"}' from generate_series(1, 20) g
          on conflict (kind, id) do update set data = excluded.data;
          delete from records where id = 'r${index + 1}'`)
      }
    })
    const commits = async () => {
      for (let step = 0; step < 20; step += 1) {
        const batch = idsOf('', 20).map((_, index) => commitOf(put(`r${index + 1}`, { by: 'batch', step })))
        await caller.send(...batch, commitOf(remove(`r${step}`)))
      }
    }
    await Promise.all([...hands, commits()])
    await expectWhole()
  })

  it.each([
    [
      'left open',
      `insert into S.records (kind, id, data) values ('service', 'a', '{}')`,
      /holds the head row: pid \d+ of user postgres, idle in transaction for \d s/,
    ],
    [
      'that lock a table',
      'lock table S.records in share mode',
      /holds the table records: pid \d+ of user postgres/,
    ],
    [
      'that lock a row to change it later',
      `select from S.records where id = 'there' for update`,
      /holds what writing needs/,
    ],
  ])('%s keep writers waiting 5 seconds, who are then told why', async (_how, sql, reason) => {
    accepted(await caller.write(put('there')))
    const hand = await server.leaveOpen(sql.replace('S.', `${schema}.`))
    const started = performance.now()
    const thrown = await store.commit(caller.position, [commitOf(put('there', { v: 2 }))], newCall()).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(performance.now() - started).toBeGreaterThan(4_500)
    expect(thrown).toMatchObject({ code: 'COORD_STORE_BUSY', outcome: 'not_written', sourceCode: '55P03' })
    expect(String(thrown)).toMatch(reason)
    // Reading does not wait for anybody.
    expect((await store.head()).position.revision).toBe(1)
    await hand[Symbol.asyncDispose]()
    accepted(await caller.write(put('there', { v: 2 })))
  })
})
