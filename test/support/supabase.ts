import { Secret } from '../../src/config/secret.ts'
import type { SupabaseAccess, SupabaseTarget } from '../../src/config/supabase.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { SupabaseOptions } from '../../src/database/supabase/options.ts'
import { makeSupabaseRoles } from '../postgres/supabase-roles.ts'
import { storeOptions } from './backends/postgres.ts'
import { DataApi, makeKeys, type ProjectKeys } from './data-api.ts'
import { PostgresServer, type PostgresServerOptions } from './postgres.ts'

/** Time-outs of a Supabase project: those of `authenticator` hold for the secret key too. */
const timeouts = `
  alter role anon set statement_timeout = '3s';
  alter role authenticated set statement_timeout = '8s';
  alter role authenticator set statement_timeout = '8s';
  alter role authenticator set lock_timeout = '8s'`

export interface SupabaseProjectOptions extends PostgresServerOptions {
  /** Schemas that are migrated before the Data API reads them. @default ['coordinator'] */
  readonly schemas?: readonly string[]
  /** SQL, or work of another kind, that is done before the Data API reads the schema. @default nothing */
  readonly prepare?: string | ((server: PostgresServer) => Promise<void>)
}

/** A Supabase project on this machine: PostgreSQL with the roles of one, migrated, and the Data API over it. */
export class SupabaseProject {
  readonly server: PostgresServer
  readonly api: DataApi
  readonly keys: ProjectKeys

  private constructor(server: PostgresServer, api: DataApi, keys: ProjectKeys) {
    this.server = server
    this.api = api
    this.keys = keys
  }

  static async start({
    schemas = ['coordinator'],
    prepare = '',
    ...options
  }: SupabaseProjectOptions = {}): Promise<SupabaseProject> {
    const server = await PostgresServer.start(options)
    const keys = makeKeys()
    await makeSupabaseRoles(server)
    await server.query(timeouts)
    for (const schema of schemas) await migrateSchema(server, schema)
    if (typeof prepare === 'function') await prepare(server)
    else if (prepare !== '') await server.query(prepare)
    const api = await DataApi.start({
      databaseUrl: server.url('postgres', 'authenticator'),
      probe: `${schemas[0] ?? 'coordinator'}_head`,
      ...keys,
    })
    return new SupabaseProject(server, api, keys)
  }

  /** Options of a store on this project. */
  options(
    options: Partial<SupabaseOptions> & { readonly access?: SupabaseAccess; readonly url?: string } = {},
  ): SupabaseOptions {
    const { access = 'service', url = this.api.url, ...rest } = options
    const key = access === 'service' ? this.keys.secretKey : this.keys.publishableKey
    return { target: targetOf({ url, key, access }), refusalPauseMs: 10, ...rest }
  }

  async dispose(): Promise<void> {
    await this.api.stop()
    await this.server.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}

export interface TargetParts {
  readonly url: string
  readonly key: string
  readonly access: SupabaseAccess
}

/** What the configuration makes of a URL and a key. */
export function targetOf({ url, key, access }: TargetParts): SupabaseTarget {
  return {
    backend: 'supabase',
    url,
    key: new Secret(key),
    keyKind: key.startsWith('sb_secret_')
      ? 'secret'
      : key.startsWith('sb_publishable_')
        ? 'publishable'
        : key.startsWith('eyJ')
          ? 'legacy'
          : 'other',
    access,
    keyVariable: access === 'service' ? 'SUPABASE_SERVICE_ROLE_KEY' : 'SUPABASE_ANON_KEY',
  }
}

/** Migrates by wire, as somebody does who has the connection string of the project. */
export async function migrateSchema(server: PostgresServer, schema: string): Promise<void> {
  const store = new PostgresStore(storeOptions(server, { schema }))
  try {
    await store.open()
  } finally {
    await store.close()
  }
}
