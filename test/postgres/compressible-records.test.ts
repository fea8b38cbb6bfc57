import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

/** What a reply may have in all: two megabytes, and the record that goes over them. */
const mostBytes = 2_600_000

/** A file of a size that is allowed, which a table needs a hundredth of that for. */
const file = { migrationFile: { text: 'x'.repeat(256 * 1024) } }
/** Six characters each as they come; PostgreSQL sends a number with all its digits. */
const numbers = { migrationFile: { numbers: Array.from({ length: 1_000 }, () => 1e308) } }

let server: PostgresServer
let store: PostgresStore

beforeAll(async () => {
  server = await PostgresServer.start()
  store = new PostgresStore(storeOptions(server))
  const caller = new Caller(store, (await store.open()).position)
  for (const ids of [idsOf('a', 15), idsOf('b', 15)])
    await caller.send(...ids.map((id) => commitOf(put(id, file))))
  await caller.send(...idsOf('n', 30).map((id) => commitOf(put(id, numbers))))
  for (let turn = 0; turn < 30; turn += 1) await caller.send(commitOf(put('changing', { ...file, turn })))
})
afterAll(async () => {
  await store.close()
  await server.dispose()
})

/** The bytes of the replies of a function of the schema, page by page. */
async function replySizes(
  name: string,
  argument: object,
  next: (reply: Record<string, unknown>, argument: object) => object | undefined,
): Promise<number[]> {
  const sizes: number[] = []
  for (let asked: object | undefined = argument; asked !== undefined; ) {
    const [row] = await server.query<{ reply: string }>(
      `select coordinator."${name}"('${JSON.stringify(asked)}')::text as reply`,
    )
    const text = row?.reply ?? ''
    sizes.push(Buffer.byteLength(text))
    asked = next(JSON.parse(text), asked)
  }
  return sizes
}

const goOn = (reply: Record<string, unknown>, asked: object) =>
  reply['next'] === undefined ? undefined : { ...asked, after: reply['next'] }

describe('records that compress to almost nothing', () => {
  it('load in pages bounded by what is sent', async () => {
    const sizes = await replySizes('load', { limit: 2_000 }, goOn)
    expect(Math.max(...sizes)).toBeLessThan(mostBytes)
    expect(sizes.length).toBeGreaterThan(5)
    expect(sizes.length).toBeLessThan(20)
  })

  it.each([
    ['of now', 90],
    ['of the past', 60],
  ])('come in pages bounded by what is sent, as %s', async (_when, revision) => {
    const sizes = await replySizes('as_of', { revision, limit: 2_000 }, goOn)
    expect(Math.max(...sizes)).toBeLessThan(mostBytes)
    expect(sizes.length).toBeGreaterThan(5)
  })

  it('of the past come so too where all of them have changed since', async () => {
    const [row] = await server.query<{ revision: string }>('select revision from coordinator.head')
    const before = Number(row?.revision)
    await server.query(`update coordinator.records set data = '{}'`)
    const sizes = await replySizes('as_of', { revision: before, limit: 2_000 }, goOn)
    expect(Math.max(...sizes)).toBeLessThan(mostBytes)
    expect(sizes.length).toBeGreaterThan(5)
  })

  it('are followed in replies bounded by what is sent', async () => {
    let position = (await store.head()).position
    position = { lineage: position.lineage, revision: 0, digest: position.lineage }
    let replies = 0
    for (let more = true; more; replies += 1) {
      const reply = await store.changes(position, 512)
      if (reply.status !== 'ok') throw new Error(reply.status)
      const bytes = reply.entries.reduce((sum, { writes }) => sum + JSON.stringify(writes).length, 0)
      expect(bytes).toBeLessThan(mostBytes)
      const last = reply.entries.at(-1)
      if (last !== undefined) position = { ...position, revision: last.revision, digest: last.digest }
      more = reply.more
    }
    expect(replies).toBeGreaterThan(5)
  })

  it('have a history in pages bounded by what is sent', async () => {
    const sizes = await replySizes(
      'history',
      { kind: 'service', id: 'changing', limit: 100 },
      (reply, asked) => (reply['next'] === undefined ? undefined : { ...asked, before: reply['next'] }),
    )
    expect(Math.max(...sizes)).toBeLessThan(4_000_000 + mostBytes - 2_000_000)
    expect(sizes.length).toBeGreaterThan(1)
  })
})
