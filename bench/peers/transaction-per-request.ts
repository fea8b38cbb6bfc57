/**
 * Peer of `POST /register` on PostgreSQL: what one writes without gathering. Each request is one transaction on a pool of ten
 * connections: it locks the head, stores the record, adds to the journal, and commits. Takes DATABASE_URL.
 */
import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import { Pool, type PoolClient } from 'pg'

const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 10 })

await pool.query(`
  drop schema if exists bench_peer cascade;
  create schema bench_peer;
  create table bench_peer.head (id int primary key, revision bigint not null);
  insert into bench_peer.head values (1, 0);
  create table bench_peer.records (id text primary key, data jsonb not null, revision bigint not null);
  create table bench_peer.journal (revision bigint primary key, commit_id uuid not null unique, at timestamptz not null, data jsonb not null)`)

const app = Fastify()
app.get('/', () => ({ ok: true }))
app.post('/register', async (request) => {
  const client = await pool.connect()
  try {
    return { success: true, revision: await store(client, request.body as { endpoint: string }) }
  } finally {
    client.release()
  }
})
await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' })

async function store(client: PoolClient, service: { readonly endpoint: string }): Promise<number> {
  await client.query('begin')
  const { rows } = await client.query(
    'update bench_peer.head set revision = revision + 1 where id = 1 returning revision',
  )
  const revision = Number((rows[0] as { revision: string }).revision)
  await client.query(
    `insert into bench_peer.records values ($1, $2, $3)
     on conflict (id) do update set data = excluded.data, revision = excluded.revision`,
    [service.endpoint, service, revision],
  )
  await client.query('insert into bench_peer.journal values ($1, $2, now(), $3)', [
    revision,
    randomUUID(),
    service,
  ])
  await client.query('commit')
  return revision
}
