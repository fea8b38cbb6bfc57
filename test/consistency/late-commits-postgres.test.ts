import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresServer } from '../support/postgres.ts'
import { companies, paths, playRounds, scenarios } from './late-commits.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start({ config: { max_connections: '200' } })
})
afterAll(() => server.dispose())

describe.concurrent.each(Object.entries(companies))('%s on PostgreSQL', (_, company) => {
  describe.each(Object.entries(paths))('a commit that comes late because %s', (_why, pathTo) => {
    it.each(Object.entries(scenarios))(
      'does nothing: %s',
      async (_what, scenario) => {
        expect(await playRounds({ place: server, makePath: pathTo(server), scenario, company })).toBe(1)
      },
      60_000,
    )
  })
})
