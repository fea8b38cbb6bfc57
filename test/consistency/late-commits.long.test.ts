import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresServer } from '../support/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { companies, paths, playRounds, scenarios } from './late-commits.ts'

const config = { max_connections: '500' }
/** So many coordinators at once, each on a record of its own, are as good as one after the other. */
const width = 25
const wanted = Number(process.env['TEST_ROUNDS'] ?? 25)
const timeoutMs = 240_000 + wanted * 2_000

describe(`${wanted} rounds on PostgreSQL`, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start({ config })
  })
  afterAll(() => server.dispose())

  describe.each(Object.entries(companies))('%s', (_, company) => {
    describe.each(Object.entries(paths))('a commit that comes late because %s', (_why, pathTo) => {
      it.each(Object.entries(scenarios))(
        'contradicts no answer: %s',
        async (_what, scenario) => {
          const rounds = { place: server, makePath: pathTo(server), scenario, company, width, wanted }
          expect(await playRounds(rounds)).toBeGreaterThanOrEqual(wanted)
        },
        timeoutMs,
      )
    })
  })
})

describe(`${wanted} rounds on Supabase`, () => {
  let project: SupabaseProject
  beforeAll(async () => {
    project = await SupabaseProject.start({ config })
  })
  afterAll(() => project.dispose())

  describe.each(Object.entries(companies))('%s', (_, company) => {
    describe.each(Object.entries(paths))('a commit that comes late because %s', (_why, pathTo) => {
      it.each(Object.entries(scenarios))(
        'contradicts no answer: %s',
        async (_what, scenario) => {
          const rounds = { place: project, makePath: pathTo(project), scenario, company, width, wanted }
          expect(await playRounds(rounds)).toBeGreaterThanOrEqual(wanted)
        },
        timeoutMs,
      )
    })
  })
})
