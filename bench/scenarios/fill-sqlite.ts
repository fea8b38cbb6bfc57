import { randomUUID } from 'node:crypto'
import { readSettings } from '../../src/config/settings.ts'
import { makeStore } from '../../src/database/open.ts'
import type { Store } from '../../src/database/store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit, Position } from '../../src/records/record.ts'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import { SERVICE_KIND } from '../../src/records/service/service.ts'

export interface Filling {
  readonly size: number
  /** The registration of each number, as JSON. */
  readonly bodyOf: (number: number) => string
  readonly progress: (line: string) => void
}

const batchSize = 512

/**
 * Fills a SQLite file with services, by the store itself and one commit each, as if they had been registered.
 *
 * @returns the ids of the services
 */
export async function fillSqlite(path: string, { size, bodyOf, progress }: Filling): Promise<string[]> {
  const store = await makeStore(readSettings({ DATABASE_URL: `sqlite:${path}` }))
  const ids: string[] = []
  try {
    let { position } = await store.open()
    for (let start = 0; start < size; start += batchSize) {
      const count = Math.min(batchSize, size - start)
      const batch = Array.from({ length: count }, (_, index) => commitOf(bodyOf(start + index)))
      position = await commitAll(store, position, batch)
      ids.push(...batch.map(({ writes }) => writes[0]?.id ?? ''))
      if (start % (batchSize * 200) === 0) progress(`${start} of ${size} services stored`)
    }
  } finally {
    await store.close()
  }
  return ids
}

function commitOf(body: string): Commit {
  const { registration } = parseRegistration(JSON.parse(body))
  const id = serviceIdOf(registration)
  const data = canonicalJson(registration)
  return {
    commitId: randomUUID(),
    actor: 'bench',
    writes: [{ op: 'put', kind: SERVICE_KIND, id, data, expect: 0 }],
  }
}

const writer = randomUUID()
let attempt = 0

async function commitAll(store: Store, after: Position, batch: readonly Commit[]): Promise<Position> {
  const reply = await store.commit(after, batch, { writer, attempt: ++attempt })
  const refused = reply.status === 'ok' ? reply.results.find(({ outcome }) => outcome !== 'accepted') : reply
  if (reply.status !== 'ok' || refused !== undefined)
    throw new Error(`Storing failed: ${JSON.stringify(refused)}`)
  const last = reply.entries.at(-1)
  if (last === undefined || reply.more) throw new Error('The reply did not carry the whole batch.')
  return { lineage: after.lineage, revision: last.revision, digest: last.digest }
}
