import { expect, it } from 'vitest'
import { ask, type Env, registration, serving } from '../main/coordinator-process.ts'
import { caughtUp, replicaServers, waitFor } from './with-replica.ts'

const servers = replicaServers({ of: 'test' })

const env = (): Env => ({
  DATABASE_URL: servers.primary.url(),
  DATABASE_REPLICAS: servers.standby.url(),
})

/** The reads of a kind that ended in some way, as the metrics count them. */
async function readsIn(url: string, operation: string, outcome: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = `coordinator_replica_reads_total{operation="${operation}",outcome="${outcome}"} `
  const found = text.split('\n').find((each) => each.startsWith(line))
  if (found === undefined) throw new Error(`The metrics lack ${line}`)
  return Number(found.slice(line.length))
}

it('a coordinator loads from a replica, reads the past there, and never forks because of it', async () => {
  const names = ['cart', 'shop', 'mail']
  {
    await using coordinator = await serving({ env: env() })
    for (const name of names)
      expect((await ask(`${coordinator.url}/register`, 'POST', registration(name))).status).toBe(201)
  }
  await caughtUp(servers.primary, servers.standby)
  await using coordinator = await serving({ env: env() })
  const { url } = coordinator
  expect(await readsIn(url, 'load', 'answered')).toBe(1)
  expect(await readsIn(url, 'load', 'primary')).toBe(0)
  const graphAt = async (moment: number | string) => {
    const asked = [...names, 'stray-1']
    const found = await Promise.all(
      asked.map((name) => ask(`${url}/knowledge-graph/nodes/service:${name}?asOf=${moment}`)),
    )
    return asked.filter((_, index) => found[index]?.status === 200)
  }
  expect(await graphAt(2)).toEqual(['cart', 'shop'])
  expect(await readsIn(url, 'as_of', 'answered')).toBeGreaterThan(0)
  const before = await ask(`${url}/health`)
  // The standby leaves the primary, and gets commits of its own in the same lineage.
  await servers.standby.promote()
  for (const name of ['stray-1', 'stray-2', 'stray-3', 'stray-4'])
    await servers.standby.query(
      `insert into coordinator.records (kind, id, data)
       select 'service', '${name}', data || '{"serviceName": "${name}"}' from coordinator.records where kind = 'service' limit 1`,
    )
  await ask(`${url}/register`, 'POST', registration('late'))
  await waitFor(async () => {
    expect(await graphAt('now')).toEqual(names)
    return (await readsIn(url, 'as_of', 'other_history')) + (await readsIn(url, 'as_of', 'primary')) > 0
  })
  expect(await graphAt(3)).toEqual(names)
  const after = await ask(`${url}/health`)
  expect(after.body).toMatchObject({ status: before.body.status })
  const [{ lineage, ancestors } = {}] = await servers.primary.query<{ lineage: string; ancestors: string[] }>(
    'select lineage, ancestors from coordinator.head',
  )
  expect(ancestors).toEqual([])
  const { headers } = await fetch(`${url}/services`)
  expect(headers.get('x-coordinator-lineage')).toBe(lineage)
  await servers.standby.kill()
  expect(await graphAt('now')).toEqual(names)
})
