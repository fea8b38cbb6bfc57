import { Findings } from '../../../src/config/findings.ts'
import { parsePostgresUrl } from '../../../src/config/postgres-url.ts'
import type { PostgresOptions } from '../../../src/database/postgres/options.ts'
import { PostgresStore } from '../../../src/database/postgres/store.ts'
import type { Store } from '../../../src/database/store.ts'
import type { ConformanceBackend, Subject, SubjectOptions } from '../../conformance/backend.ts'
import { PostgresServer, type PostgresVersion } from '../postgres.ts'

/** The role that the suite works as: it owns what it makes, and has no other right. */
const role = 'owner_of_records'

/** The PostgreSQL backend on a real server of a version, started for the first case that needs it. */
export function postgresBackend(version: PostgresVersion): ConformanceBackend {
  let server: Promise<PostgresServer> | undefined
  let made = 0
  // Emptying a schema takes a tenth of the time of making one.
  const free: string[] = []
  return {
    name: `postgres ${version}`,
    backend: 'postgres',
    durable: true,
    secondStore: 'shared',
    parts: ['migrator', 'inspector', 'pool'],
    create: async (options) => {
      server ??= startServer(version)
      const known = free.pop()
      if (known === undefined) made += 1
      const schema = known ?? `case_${made}`
      const release = () => free.push(schema)
      return PostgresSubject.create(await server, { ...options, schema, release, isNew: known === undefined })
    },
  }
}

async function startServer(version: PostgresVersion): Promise<PostgresServer> {
  const server = await PostgresServer.start({ version })
  await server.query(`create role ${role} login; grant create on database postgres to ${role}`)
  return server
}

/** Options of a store on a test server. */
export function storeOptions(
  server: PostgresServer,
  options: Partial<PostgresOptions> & { readonly role?: string; readonly database?: string } = {},
): PostgresOptions {
  const { role: as, database, ...rest } = options
  const target = parsePostgresUrl(server.url(database, as), new Findings())
  if (target === undefined) throw new Error('The URL of the test server cannot be read.')
  return { target, loginPauseMs: 10, ...rest }
}

interface PostgresSubjectOptions extends SubjectOptions {
  readonly schema: string
  readonly isNew: boolean
  /** Nobody uses the schema any more. */
  release(): void
}

class PostgresSubject implements Subject {
  readonly #server: PostgresServer
  readonly #options: PostgresSubjectOptions
  readonly #stores: Store[] = []
  #open: Store
  readonly store: Store

  private constructor(server: PostgresServer, options: PostgresSubjectOptions) {
    this.#server = server
    this.#options = options
    this.#open = this.#make()
    this.store = this.#open
  }

  static async create(server: PostgresServer, options: PostgresSubjectOptions): Promise<PostgresSubject> {
    const subject = new PostgresSubject(server, options)
    if (options.isNew) {
      const migrating = subject.#make()
      await migrating.migrator?.migrate()
      await migrating.close()
    }
    await subject.#empty()
    return subject
  }

  async setClock(nowMs: number): Promise<void> {
    await this.#behind(`update head h set at = greatest(${Math.trunc(nowMs)},
      (select at from journal j where j.revision = h.revision))`)
  }

  async reopen(): Promise<Store> {
    await this.#open.close()
    this.#open = this.#make()
    return this.#open
  }

  async loseTail(count: number): Promise<Store> {
    await this.#open.close()
    await this.#behind(`
      delete from journal where revision > (select revision - ${count} from head);
      delete from records where true;
      delete from tombstones where true;
      create temporary table newest on commit drop as
        select distinct on (w.write ->> 'kind', w.write ->> 'id')
          w.write, j.revision, j.at, j.created_at[w.place] as created_at
        from journal j cross join lateral jsonb_array_elements(j.writes) with ordinality as w (write, place)
        order by w.write ->> 'kind', w.write ->> 'id', j.revision desc;
      insert into records select write ->> 'kind', write ->> 'id', write -> 'data', revision, created_at, at
        from newest where write ->> 'op' = 'put';
      insert into tombstones select write ->> 'kind', write ->> 'id', revision from newest where write ->> 'op' = 'delete';
      update head h set revision = h.revision - ${count},
        digest = coalesce((select digest from journal j where j.revision = h.revision - ${count}), h.first_digest),
        at = coalesce((select at from journal j where j.revision = h.revision - ${count}), h.at)`)
    this.#open = this.#make()
    return this.#open
  }

  async beside(): Promise<Store> {
    return this.#make()
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()))
    this.#options.release()
  }

  async #empty(): Promise<void> {
    const first = this.#options.firstRevision
    await this.#behind(
      `delete from records where true; delete from tombstones where true; delete from journal where true;
       update head h set lineage = f.lineage, digest = f.lineage::text, first_digest = f.lineage::text,
         revision = ${first}, floor = ${first}, swept = ${first}, first_revision = ${first},
         at = floor(extract(epoch from clock_timestamp()) * 1000)
       from (select gen_random_uuid() as lineage) f`,
    )
  }

  #make(): Store {
    const { schema, pageSize } = this.#options
    const store = new PostgresStore(storeOptions(this.#server, { role, schema, pageSize }))
    this.#stores.push(store)
    return store
  }

  /** Changes tables behind the store's back, in one transaction. */
  async #behind(sql: string): Promise<void> {
    const { schema } = this.#options
    await this.#server.query(
      `begin; set local search_path = ${schema}, pg_catalog; select set_config('${schema}.writer', 'on', true);
       ${sql}; commit`,
    )
  }
}
