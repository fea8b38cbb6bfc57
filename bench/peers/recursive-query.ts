import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { PostgresServer } from '../../test/support/postgres.ts'
import { scaleFree } from '../load/scale-free.ts'

/** The question "what needs this, directly or through others" in SQL, as people ask it of a table of edges. */
export interface RecursivePeer {
  readonly name: string
  /** @returns how many nodes were found, up to 1,000 */
  impact(node: number): Promise<number>
  close(): Promise<void>
}

export interface PeerSize {
  readonly services: number
  readonly edges: number
}

const question = (placeholder: string) => `
  with recursive reached(node) as (
    values (cast(${placeholder} as integer))
    union
    select edges.source from edges join reached on edges.target = reached.node
  )
  select count(*) as found from (select node from reached limit 1000) as listed`

export function sqlitePeer(size: PeerSize): RecursivePeer {
  const database = new DatabaseSync(':memory:')
  database.exec('create table edges (source integer not null, target integer not null); begin')
  const insert = database.prepare('insert into edges values (?, ?)')
  for (const { number, needs } of scaleFree(size.services, size.edges))
    for (const target of needs) insert.run(number, target)
  database.exec('commit; create index edges_target on edges (target, source); analyze')
  const ask = database.prepare(question('?'))
  return {
    name: 'recursive query, SQLite in memory',
    impact: async (node) => Number(ask.get(node)?.['found']),
    close: async () => database.close(),
  }
}

export async function postgresPeer(server: PostgresServer, size: PeerSize): Promise<RecursivePeer> {
  await server.query('create database graph')
  const client = new pg.Client({ connectionString: server.url('graph') })
  await client.connect()
  await client.query('create table edges (source int not null, target int not null)')
  let batch: number[][] = []
  const flush = async () => {
    const [sources, targets] = [batch.map(([source]) => source), batch.map(([, target]) => target)]
    await client.query('insert into edges select * from unnest($1::int[], $2::int[])', [sources, targets])
    batch = []
  }
  for (const { number, needs } of scaleFree(size.services, size.edges)) {
    for (const target of needs) batch.push([number, target])
    if (batch.length >= 50_000) await flush()
  }
  await flush()
  await client.query('create index on edges (target) include (source)')
  await client.query('vacuum analyze edges')
  return {
    name: 'recursive query, PostgreSQL',
    impact: async (node) => Number((await client.query(question('$1'), [node])).rows[0].found),
    close: () => client.end(),
  }
}
