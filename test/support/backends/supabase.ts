import { SupabaseStore } from '../../../src/database/supabase/store.ts'
import type { ConformanceBackend } from '../../conformance/backend.ts'
import { SupabaseProject } from '../supabase.ts'
import { SchemaSubject } from './schema-subject.ts'

/** The Data API reads schemas once, when it starts: as many are made beforehand as one case uses at the same time. */
const schemas = ['case_1', 'case_2', 'case_3', 'case_4']

/** The Supabase backend through genuine supabase-js, on a project of this machine that the first case starts. */
export function supabaseBackend(): ConformanceBackend {
  let project: Promise<SupabaseProject> | undefined
  const free = [...schemas]
  return {
    name: 'supabase',
    backend: 'supabase',
    durable: true,
    secondStore: 'shared',
    // A call through the Data API costs ten times one by wire.
    propertyRuns: 8,
    parts: ['migrator', 'inspector', 'pool'],
    create: async ({ pageSize, firstRevision }) => {
      project ??= SupabaseProject.start({ schemas })
      const started = await project
      const schema = free.pop()
      if (schema === undefined) throw new Error('A case uses more schemas at once than were made.')
      return SchemaSubject.create({
        server: started.server,
        schema,
        pageSize,
        firstRevision,
        makeStore: () => new SupabaseStore(started.options({ schema, pageSize })),
        release: () => free.push(schema),
      })
    },
  }
}
