import type { Head, Store } from '../../src/database/store.ts'
import type { ConformanceBackend, Subject, SubjectOptions } from './backend.ts'
import { Caller } from './caller.ts'

/** A case in progress: an open store of its own, and a caller on it. */
export class Scope {
  readonly backend: ConformanceBackend
  readonly subject: Subject
  store: Store
  caller: Caller

  constructor(backend: ConformanceBackend, subject: Subject, head: Head) {
    this.backend = backend
    this.subject = subject
    this.store = subject.store
    this.caller = new Caller(subject.store, head.position)
  }

  /** Restarts the store. The caller of a durable one keeps its position; of another it starts from nothing. */
  async reopen(): Promise<Head> {
    return this.#adopt(await this.subject.reopen(), this.backend.durable)
  }

  /** Restarts a durable store; any other stays as it is: what it holds is tested without a restart. */
  async reopenIfDurable(): Promise<void> {
    if (this.backend.durable) await this.reopen()
  }

  /** Drops the newest entries behind the store's back. The caller keeps its position. */
  async loseTail(count: number): Promise<Head> {
    return this.#adopt(await this.subject.loseTail(count), true)
  }

  async #adopt(store: Store, keepPosition: boolean): Promise<Head> {
    const head = await store.open()
    this.store = store
    this.caller = new Caller(store, keepPosition ? this.caller.position : head.position)
    return head
  }
}

/** Makes a test function: a store is created and opened for it, and removed after it. */
export function scoped(
  backend: ConformanceBackend,
  body: (scope: Scope) => Promise<void>,
  options: Partial<SubjectOptions> = {},
): () => Promise<void> {
  return async () => {
    const subject = await backend.create({ pageSize: 1_000, firstRevision: 0, ...options })
    try {
      await body(new Scope(backend, subject, await subject.store.open()))
    } finally {
      await subject.dispose()
    }
  }
}
