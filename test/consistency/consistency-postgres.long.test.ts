import { describe, it } from 'vitest'
import { PostgresServer } from '../support/postgres.ts'
import { runConsistency } from './consistency-run.ts'
import { disturbLine } from './disturb-line.ts'
import { expectConsistent } from './expect-consistent.ts'
import { withThreeProcesses } from './three-processes.ts'

describe('what clients are told by three coordinators on PostgreSQL', () => {
  it('is of one history, over 22,000 calls while their lines to the database fail', async () => {
    await using server = await PostgresServer.start({ config: { fsync: 'on' } })
    await withThreeProcesses(server, async ({ urls, lines }) => {
      const disturb = disturbLine.bind(undefined, lines)
      const verdict = await runConsistency({
        urls,
        calls: 22_000,
        clients: 48,
        records: 16,
        disturb,
        restMaxMs: 1_500,
      })
      expectConsistent(verdict, { known: 20_000 })
    })
  }, 900_000)
})
