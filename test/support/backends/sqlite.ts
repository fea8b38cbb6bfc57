import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SqliteStore } from '../../../src/database/sqlite/store.ts'
import type { Store } from '../../../src/database/store.ts'
import type { ConformanceBackend, Subject, SubjectOptions } from '../../conformance/backend.ts'

export const sqliteBackend: ConformanceBackend = {
  name: 'sqlite',
  backend: 'sqlite',
  durable: true,
  secondStore: 'refused',
  parts: ['migrator', 'inspector', 'pool'],
  propertyRuns: 20,
  create: async (options) => new SqliteSubject(await mkdtemp(join(tmpdir(), 'conformance-')), options),
}

class SqliteSubject implements Subject {
  readonly #folder: string
  readonly #path: string
  readonly #options: SubjectOptions
  readonly #stores: SqliteStore[] = []
  #now: number | undefined
  readonly store: Store

  constructor(folder: string, options: SubjectOptions) {
    this.#folder = folder
    this.#path = join(folder, 'coordinator.db')
    this.#options = options
    this.store = this.#make()
  }

  async setClock(nowMs: number): Promise<void> {
    this.#now = nowMs
  }

  async reopen(): Promise<Store> {
    await this.#closeAll()
    this.#now = undefined
    return this.#make()
  }

  async loseTail(count: number): Promise<Store> {
    await this.#closeAll()
    const database = new DatabaseSync(this.#path)
    const { revision } = database.prepare('select revision from head').get() as { revision: number }
    database.exec(`begin;${forgetAfter(revision - count)}commit`)
    database.close()
    return this.#make()
  }

  async beside(): Promise<Store> {
    return this.#make()
  }

  async dispose(): Promise<void> {
    await this.#closeAll()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #make(): SqliteStore {
    const now = () => this.#now ?? Date.now()
    const store = new SqliteStore({ path: this.#path, lockTimeoutMs: 50, now, ...this.#options })
    this.#stores.push(store)
    return store
  }

  async #closeAll(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close()
  }
}

/** Takes a file whose journal is whole back to a revision. */
function forgetAfter(revision: number): string {
  return `
    delete from writes where revision > ${revision};
    delete from journal where revision > ${revision};
    delete from records where true;
    insert into records (kind, id, data, revision, created_at, updated_at)
      select kind, id, data, writes.revision, created_at, at from writes join journal using (revision)
      where writes.revision = (select max(revision) from writes w where w.kind = writes.kind and w.id = writes.id);
    update head set revision = ${revision},
      digest = coalesce((select digest from journal where revision = ${revision}), first_digest),
      at = coalesce((select at from journal where revision = ${revision}), 0)
      where one = 1;
  `
}
