import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SupabaseProject } from '../support/supabase.ts'
import { companies, paths, playRounds, scenarios } from './late-commits.ts'

let project: SupabaseProject
beforeAll(async () => {
  project = await SupabaseProject.start({ config: { max_connections: '200' } })
})
afterAll(() => project.dispose())

describe.concurrent.each(Object.entries(companies))('%s on Supabase', (_, company) => {
  describe.each(Object.entries(paths))('a commit that comes late because %s', (_why, pathTo) => {
    it.each(Object.entries(scenarios))(
      'does nothing: %s',
      async (_what, scenario) => {
        expect(await playRounds({ place: project, makePath: pathTo(project), scenario, company })).toBe(1)
      },
      60_000,
    )
  })
})
