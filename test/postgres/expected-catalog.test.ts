import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectedCatalog } from '../../src/database/migrations/expected-catalog.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer, type PostgresVersion } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

const file = fileURLToPath(new URL('../../src/database/migrations/expected-catalog.ts', import.meta.url))

describe.each([18, 15] as const)('the expected catalog, on PostgreSQL %i', (version: PostgresVersion) => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await PostgresServer.start({ version })
    await makeSupabaseRoles(server)
  })
  afterAll(() => server.dispose())

  it('is what the migrations make; UPDATE_CATALOG=1 writes it anew', async () => {
    const made = await madeCatalog(server, 'coordinator')
    if (process.env['UPDATE_CATALOG'] === '1' && version === 18) write(made)
    else expect(made).toEqual(expectedCatalog)
  })

  it('is the same under a name that is a word of SQL', async () => {
    expect(await madeCatalog(server, 'user')).toEqual(await madeCatalog(server, 'coordinator'))
  })
})

async function madeCatalog(server: PostgresServer, schema: string): Promise<Record<string, string>> {
  const store = new PostgresStore(storeOptions(server, { schema }))
  await store.open()
  await store.close()
  const [row] = await server.query<{ objects: Record<string, string> }>(
    `select "${schema}".catalog('{}') -> 'objects' as objects`,
  )
  const entries = Object.entries(row?.objects ?? {})
    .filter(([name]) => !name.startsWith('right of'))
    .map(([name, definition]) => [name, definition.replace(/ body [0-9a-f]{32}$/, ' body @@')] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function write(catalog: Record<string, string>): void {
  writeFileSync(
    file,
    `// Made by \`UPDATE_CATALOG=1 npx vitest run test/postgres/expected-catalog.test.ts\` from the migrations. Do not edit.

// biome-ignore format: one object a line
/** The reply of the function \`catalog\` for a schema that is as it should be; the hashes of bodies come from the migrations. */
export const expectedCatalog: Readonly<Record<string, string>> = ${JSON.stringify(catalog, null, 2)}
`,
  )
  execFileSync('npx', ['biome', 'check', '--write', file], { stdio: 'ignore' })
}
