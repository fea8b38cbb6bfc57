import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { newCall } from '../conformance/build.ts'

/** A copy that has only the first entries of a history, as a database that failed over to a copy which lagged. */
export async function shortened(store: Store, keep: number): Promise<MemoryStore> {
  const { lineage } = (await store.head()).position
  const reply = await store.changes({ lineage, revision: 0, digest: lineage }, keep)
  if (reply.status !== 'ok') throw new Error(reply.status)
  const copy = new MemoryStore({ lineage })
  for (const { revision: _, at: _at, digest: _digest, ...commit } of reply.entries)
    await copy.commit((await copy.head()).position, [commit], newCall())
  return copy
}
