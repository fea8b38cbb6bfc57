import { describe } from 'vitest'
import { itWith } from '../support/it-with.ts'
import { neededPrograms, PatroniCluster } from './patroni-cluster.ts'
import { runPatroniFaults } from './patroni-run.ts'

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)
const wanted = process.env['TEST_FAULTS']
// A part of a name, for a look at one kind of fault: `TEST_FAULT=switchover`.
const only = process.env['TEST_FAULT']

/** Without `TEST_FAULTS` a few faults each way; with it so many by several hosts, and half of them through HAProxy. */
const [byHosts, throughHaproxy] =
  wanted === undefined ? [4, 2] : [Number(wanted), Math.ceil(Number(wanted) / 2)]

describe(`Patroni, three members, strict synchronous mode (TEST_SEED=${seed})`, () => {
  const limitMs = (faults: number) => 60_000 + faults * 120_000

  itWith(...neededPrograms)(
    `${byHosts} faults cost no acknowledged write, double none and fail no read, where the URL names every member`,
    async () => {
      await using cluster = await PatroniCluster.start()
      await runPatroniFaults(cluster, { databaseUrl: cluster.url, faults: byHosts, seed, only })
    },
    limitMs(byHosts),
  )

  itWith(...neededPrograms)(
    `${throughHaproxy} faults cost no acknowledged write, double none and fail no read, through HAProxy`,
    async () => {
      await using cluster = await PatroniCluster.start()
      await runPatroniFaults(cluster, {
        databaseUrl: cluster.haproxyUrl,
        faults: throughHaproxy,
        seed: seed + 1,
        only,
      })
    },
    limitMs(throughHaproxy),
  )
})
