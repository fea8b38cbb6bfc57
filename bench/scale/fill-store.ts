import { randomUUID } from 'node:crypto'
import type { Store } from '../../src/database/store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit, Position } from '../../src/records/record.ts'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import { SERVICE_KIND } from '../../src/records/service/service.ts'

export interface Filling {
  readonly size: number
  /** The registration of each number, as JSON. */
  readonly bodyOf: (number: number, round: number) => string
  /** How often each service is registered, every time with another text. @default 1 */
  readonly rounds?: number
  readonly afterRound?: () => Promise<void>
  readonly progress?: (line: string) => void
}

export interface Filled {
  /** The ids of the services. */
  readonly ids: readonly string[]
  /** The characters of all stored texts, of the last round. */
  readonly textBytes: number
}

const batchSize = 512

/** Fills an empty store, which is not open yet, with services: one commit each, as if they had been registered. */
export async function fillStore(store: Store, filling: Filling): Promise<Filled> {
  const { size, bodyOf, rounds = 1, afterRound, progress } = filling
  let ids: string[] = []
  let textBytes = 0
  let { position } = await store.open()
  for (let round = 0; round < rounds; round += 1) {
    ids = []
    textBytes = 0
    for (let start = 0; start < size; start += batchSize) {
      const count = Math.min(batchSize, size - start)
      const batch = Array.from({ length: count }, (_, index) => commitOf(bodyOf(start + index, round)))
      position = await commitAll(store, position, batch)
      for (const { writes } of batch)
        for (const write of writes) {
          ids.push(write.id)
          if (write.op === 'put') textBytes += write.data.length
        }
      if (start % (batchSize * 200) === 0) progress?.(`${start} of ${size} services stored`)
    }
    await afterRound?.()
  }
  return { ids, textBytes }
}

function commitOf(body: string): Commit {
  const { registration } = parseRegistration(JSON.parse(body))
  const id = serviceIdOf(registration)
  const data = canonicalJson(registration)
  return {
    commitId: randomUUID(),
    actor: 'bench',
    writes: [{ op: 'put', kind: SERVICE_KIND, id, data }],
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
