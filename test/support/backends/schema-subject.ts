import type { Store } from '../../../src/database/store.ts'
import type { Subject, SubjectOptions } from '../../conformance/backend.ts'
import type { PostgresServer } from '../postgres.ts'

export interface SchemaSubjectOptions extends SubjectOptions {
  readonly server: PostgresServer
  /** A migrated schema. It is emptied first. */
  readonly schema: string
  /** A store on the schema, not opened. */
  makeStore(): Store
  /** Nobody uses the schema any more. */
  release(): void
}

/** A schema of a PostgreSQL database under test, by whatever way its stores reach it. */
export class SchemaSubject implements Subject {
  readonly #options: SchemaSubjectOptions
  readonly #stores: Store[] = []
  #open: Store
  readonly store: Store

  private constructor(options: SchemaSubjectOptions) {
    this.#options = options
    this.#open = this.#make()
    this.store = this.#open
  }

  static async create(options: SchemaSubjectOptions): Promise<SchemaSubject> {
    const subject = new SchemaSubject(options)
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

  #make(): Store {
    const store = this.#options.makeStore()
    this.#stores.push(store)
    return store
  }

  async #empty(): Promise<void> {
    const first = this.#options.firstRevision
    await this.#behind(
      `delete from records where true; delete from tombstones where true; delete from journal where true;
       delete from unchanged where true; delete from writers where true; delete from access_tokens where true;
       update head h set lineage = f.lineage, digest = f.lineage::text, first_digest = f.lineage::text,
         revision = ${first}, floor = ${first}, swept = ${first}, first_revision = ${first},
         at = floor(extract(epoch from clock_timestamp()) * 1000), access_version = gen_random_uuid(), required_since = null,
         ancestors = '{}', mode = 'open'
       from (select gen_random_uuid() as lineage) f`,
    )
  }

  /** Changes tables behind the store's back, in one transaction. */
  async #behind(sql: string): Promise<void> {
    const { server, schema } = this.#options
    await server.query(
      `begin; set local search_path = ${schema}, pg_catalog; select set_config('${schema}.writer', 'on', true);
       ${sql}; commit`,
    )
  }
}
