import { describe, expect, it } from 'vitest'
import { PostgresStore } from '../../../src/database/postgres/store.ts'
import { SqliteStore } from '../../../src/database/sqlite/store.ts'
import { SupabaseStore } from '../../../src/database/supabase/store.ts'
import { scratchFolder } from '../../main/coordinator-process.ts'
import { storeOptions } from '../../support/backends/postgres.ts'
import type { PostgresServer } from '../../support/postgres.ts'
import { SupabaseProject } from '../../support/supabase.ts'
import { type Ground, runCutovers } from './cutover-run.ts'

function postgres(server: PostgresServer): Ground {
  const makeStore = () => new PostgresStore(storeOptions(server, { schema: 'by_wire' }))
  return { name: 'postgres', isShared: true, makeStore }
}

function supabase(project: SupabaseProject): Ground {
  return { name: 'supabase', isShared: true, makeStore: () => new SupabaseStore(project.options()) }
}

describe('cutovers while clients write', () => {
  it('lose and double nothing, 20 times between PostgreSQL and Supabase', async () => {
    await using project = await SupabaseProject.start()
    const [one, two] = [postgres(project.server), supabase(project)]
    const path = Array.from({ length: 21 }, (_, index) => (index % 2 === 0 ? one : two))
    const { reports } = await runCutovers({ path, clients: 16 })
    expect(reports).toHaveLength(20)
    expect(Math.max(...reports.map(({ pauseMs }) => pauseMs))).toBeLessThan(2_000)
  }, 280_000)

  it('lose and double nothing from a SQLite file to each backend and back', async () => {
    await using project = await SupabaseProject.start()
    await using folder = await scratchFolder()
    const file = (name: string): Ground => ({
      name,
      isShared: false,
      makeStore: () => new SqliteStore({ path: `${folder.path}/${name}.db` }),
    })
    const path = [file('first'), postgres(project.server), file('second'), supabase(project), file('third')]
    const back = [path[3] as Ground, path[1] as Ground]
    const { reports } = await runCutovers({ path: [...path, ...back] })
    expect(reports).toHaveLength(6)
  }, 280_000)
})
