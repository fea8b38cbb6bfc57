import { describe, expect, it } from 'vitest'
import { createCoordinator } from '../../src/coordinator.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { type ReplicaReport, replicaOutcomes, replicaStates } from '../../src/database/replicas.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { healthyReplica, neverAsked, replicaReport, someReads } from '../support/replica-report.ts'
import { scrape } from './scrape.ts'

async function scraped(report?: ReplicaReport): Promise<ReadonlyMap<string, number>> {
  const metrics = createMetrics({ backend: 'postgres', process: false })
  if (report !== undefined) metrics.ask({ replicas: () => report })
  return scrape(metrics)
}

const ofReplicas = (samples: ReadonlyMap<string, number>) =>
  [...samples].filter(([series]) => series.startsWith('coordinator_database_replica'))

describe('metrics of replicas', () => {
  it('have without replicas no series of a replica, and 0 for every count', async () => {
    const samples = await scraped()
    expect(ofReplicas(samples)).toEqual([])
    const counts = [...samples].filter(([series]) => series.startsWith('coordinator_replica_reads_total{'))
    expect(counts.map(([, value]) => value)).toEqual(Array(15).fill(0))
  })

  it('say of each replica whether it answers, how far it is behind, what it is, and what became of its newest read', async () => {
    const samples = await scraped(replicaReport())
    const of = (name: string, labels: string) =>
      samples.get(`coordinator_database_replica_${name}{${labels}}`)
    const each = (name: string) => [0, 1, 2, 3, 4, 5].map((at) => of(name, `replica="${at}"`))
    expect(each('up')).toEqual([1, 1, 0, 1, 1, 0])
    expect(each('lag_revisions')).toEqual([0, 3, 0, 0, 0, undefined])
    expect(each('revision')).toEqual([40, 37, 40, 40, 40, undefined])
    const holds = (name: string, label: string, words: readonly string[]) =>
      [0, 1, 2, 3, 4, 5].map((at) =>
        words.filter((word) => of(name, `replica="${at}",${label}="${word}"`) === 1).join(),
      )
    const states = ['answered', 'behind', 'failed', 'other_history', 'answered', 'unknown']
    expect(holds('state', 'state', replicaStates)).toEqual(states)
    expect(holds('role', 'role', ['standby', 'primary', 'unknown'])).toEqual([
      ...['standby', 'standby', 'standby', 'standby', 'primary', 'unknown'],
    ])
    expect(of('connections', 'replica="0",state="used"')).toBe(1)
    expect(of('connections', 'replica="5",state="used"')).toBe(undefined)
    // Hosts change with the machines, and would make new series each time.
    expect([...samples.keys()].join('\n')).not.toContain('10.0.0.')
  })

  it('count the reads by what became of them', async () => {
    const samples = await scraped(replicaReport([healthyReplica], someReads))
    const count = (operation: string, outcome: string) =>
      samples.get(`coordinator_replica_reads_total{operation="${operation}",outcome="${outcome}"}`)
    expect(replicaOutcomes.map((outcome) => count('as_of', outcome))).toEqual([7, 2, 3, 4, 5])
    expect([count('load', 'answered'), count('history', 'primary')]).toEqual([1, 0])
  })

  it('are those of the store of a coordinator, read at each scrape', async () => {
    let report = replicaReport([neverAsked('10.0.0.2:5432')])
    const store = Object.assign(new MemoryStore(), { replicas: () => report })
    const { metrics } = await createCoordinator({ store })
    expect((await scrape(metrics)).get('coordinator_database_replica_up{replica="0"}')).toBe(0)
    report = replicaReport([healthyReplica], someReads)
    const samples = await scrape(metrics)
    expect(samples.get('coordinator_database_replica_up{replica="0"}')).toBe(1)
    expect(samples.get('coordinator_replica_reads_total{operation="as_of",outcome="answered"}')).toBe(7)
  })
})
