import { afterAll, beforeAll, describe, it } from 'vitest'
import { PostgresServer } from '../support/postgres.ts'
import { runConsistency } from './consistency-run.ts'
import { disturbLine } from './disturb-line.ts'
import { expectConsistent } from './expect-consistent.ts'
import { withThreeProcesses } from './three-processes.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.dispose())

describe('what clients are told by three coordinators on PostgreSQL', () => {
  it(
    'is of one history, while their lines to the database fail',
    () =>
      withThreeProcesses(server, async ({ urls, lines }) => {
        const disturb = disturbLine.bind(undefined, lines)
        expectConsistent(await runConsistency({ urls, calls: 500, clients: 24, disturb, restMaxMs: 1_000 }), {
          known: 250,
        })
      }),
    180_000,
  )
})
