import { MemoryStore, type MemoryStoreOptions } from '../../../src/database/memory/store.ts'
import type { Store } from '../../../src/database/store.ts'
import type { Entry, Position } from '../../../src/records/record.ts'
import type { ConformanceBackend, Subject, SubjectOptions } from '../../conformance/backend.ts'
import { farFuture, newCall } from '../../conformance/build.ts'

export const memoryBackend: ConformanceBackend = {
  name: 'memory',
  backend: 'memory',
  durable: false,
  secondStore: 'separate',
  parts: [],
  propertyRuns: 200,
  create: async (options) => new MemorySubject(options),
}

class MemorySubject implements Subject {
  readonly #options: SubjectOptions
  #now: number | undefined
  #open: MemoryStore
  readonly store: Store

  constructor(options: SubjectOptions) {
    this.#options = options
    this.#open = this.#make()
    this.store = this.#open
  }

  async setClock(nowMs: number): Promise<void> {
    this.#now = nowMs
  }

  async reopen(): Promise<Store> {
    await this.#open.close()
    this.#now = undefined
    this.#open = this.#make()
    return this.#open
  }

  /** There is no data behind a store in memory: another one is given the entries that are to be left. */
  async loseTail(count: number): Promise<Store> {
    const { lineage, entries } = await this.#journal()
    await this.#open.close()
    const now = this.#now
    // A store is never older than its creation: the copy must begin before the first entry.
    this.#now = 0
    const copy = this.#make({ lineage })
    for (const { revision: _, digest: _digest, at, ...commit } of entries.slice(0, -count)) {
      this.#now = at
      const { position } = await copy.head()
      await copy.commit(position, [commit], newCall())
    }
    this.#now = now
    this.#open = copy
    return copy
  }

  async beside(): Promise<Store> {
    return this.#make()
  }

  async dispose(): Promise<void> {
    await this.#open.close()
  }

  #make(options: MemoryStoreOptions = {}): MemoryStore {
    return new MemoryStore({ now: () => this.#now ?? Date.now(), ...this.#options, ...options })
  }

  async #journal(): Promise<{ lineage: string; entries: readonly Entry[] }> {
    const { lineage } = (await this.#open.head()).position
    const start: Position = { lineage, revision: 0, digest: lineage }
    const reply = await this.#open.changes(start, farFuture)
    if (reply.status !== 'ok') throw new Error('A forked or compacted store cannot lose its tail.')
    return { lineage, entries: reply.entries }
  }
}
