import { describe, expect, it } from 'vitest'
import { NOW } from '../../src/database/store.ts'
import { put, remove } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { caughtUp, readsOf, recordsAt, replicaServers } from './with-replica.ts'

describe('a replica', () => {
  const servers = replicaServers()

  it('answers loads, questions about the past and histories, and is counted for each page', async () => {
    const { store, caller } = await servers.open({ pageSize: 2 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await caller.write(put(id))
    const { revision } = caller.position
    await caller.write(remove('a'))
    await caughtUp(servers.primary, servers.standby)
    expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(['b', 'c', 'd', 'e'])
    expect((await recordsAt(store, { revision })).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect((await recordsAt(store, NOW)).map(({ id }) => id)).toEqual(['b', 'c', 'd', 'e'])
    expect((await store.history('service', 'a')).entries.map((entry) => entry.revision)).toEqual([6, 1])
    expect(readsOf(store, 'load')).toEqual({ answered: 3 })
    expect(readsOf(store, 'as_of')).toEqual({ answered: 6 })
    expect(readsOf(store, 'history')).toEqual({ answered: 1 })
    expect(store.replicas?.().replicas).toMatchObject([
      { host: `127.0.0.1:${servers.standby.port}`, state: 'answered', revision: 6, lagRevisions: 0 },
    ])
  })
})
