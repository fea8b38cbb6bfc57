import { randomUUID } from 'node:crypto'
import { type CommitCall, NOW, type Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Commit, Revision, StoredRecord } from '../../records/record.ts'
import type { PastRecord } from './part-of-archive.ts'
import { type Patience, withPatience } from './with-patience.ts'

/** What putting a record back means for the records of now. */
export interface PutBackChange {
  readonly record: PastRecord
  /** `same`: it is as it was. */
  readonly change: 'create' | 'replace' | 'same'
  /** The revision that the record has now; 0 if it does not exist. */
  readonly present: Revision
}

/** The most writes of one commit: what is in one commit is put back together, or not at all. */
const WRITES_PER_COMMIT = 500
/** Above so many records of a kind, all records of that kind are read at once. */
const SINGLE_READS = 100
/** How often a part is compared again, because somebody else changed one of its records meanwhile. */
const MAX_ATTEMPTS = 5

/** Compares records of the past with those that an open store has now. */
export async function comparePart(
  store: Store,
  records: readonly PastRecord[],
): Promise<readonly PutBackChange[]> {
  const present = new Map<string, StoredRecord>()
  for (const kind of new Set(records.map((record) => record.kind))) {
    const wanted = records.filter((record) => record.kind === kind)
    const filters = wanted.length > SINGLE_READS ? [{ kind }] : wanted.map(({ id }) => ({ kind, id }))
    const ids = new Set(wanted.map(({ id }) => id))
    for (const filter of filters)
      for await (const page of store.asOf(NOW, filter))
        for (const record of page.records)
          if (ids.has(record.id)) present.set(`${kind}\0${record.id}`, record)
  }
  return records.map((record) => {
    const now = present.get(`${record.kind}\0${record.id}`)
    const change = now === undefined ? 'create' : now.data === record.data ? 'same' : 'replace'
    return { record, change, present: now?.revision ?? 0 }
  })
}

export interface PutBackOptions {
  /** Opened, and in mode `open`. Coordinators may use it at the same time. */
  readonly store: Store
  readonly records: readonly PastRecord[]
  /** The author of the commits. */
  readonly actor: string
  readonly patience: Patience
}

/**
 * Puts records of the past back into a store that is in use, by ordinary commits. A record that somebody else changes at the same time is
 * compared again, so that nothing is overwritten that was not looked at. Records that did not exist in the past stay.
 *
 * @returns what was done with each record
 * @throws COORD_COMMIT_CONTENDED, and what `Store.commit` throws
 */
export async function putBack(options: PutBackOptions): Promise<readonly PutBackChange[]> {
  const { records, store, patience } = options
  const done = new Map<PastRecord, PutBackChange>()
  const writer = new PutBackWriter(options)
  let open = records
  for (let attempt = 1; open.length > 0; attempt += 1) {
    if (attempt > MAX_ATTEMPTS) throw new CoordinatorError('COORD_COMMIT_CONTENDED')
    const changes = await withPatience(patience, () => comparePart(store, open))
    for (const change of changes) if (change.change === 'same') keepFirst(done, change)
    const different = changes.filter(({ change }) => change !== 'same')
    const contended: PastRecord[] = []
    for (let from = 0; from < different.length; from += WRITES_PER_COMMIT) {
      const part = different.slice(from, from + WRITES_PER_COMMIT)
      if (await writer.commit(part)) for (const change of part) keepFirst(done, change)
      else contended.push(...part.map(({ record }) => record))
    }
    open = contended
  }
  return records.map((record) => done.get(record) as PutBackChange)
}

function keepFirst(done: Map<PastRecord, PutBackChange>, change: PutBackChange): void {
  if (!done.has(change.record)) done.set(change.record, change)
}

class PutBackWriter {
  readonly #options: PutBackOptions
  readonly #writer = randomUUID()
  #attempt = 0

  constructor(options: PutBackOptions) {
    this.#options = options
  }

  /** @returns whether it is stored; `false` if one of the records has changed */
  async commit(changes: readonly PutBackChange[]): Promise<boolean> {
    const { actor, patience } = this.#options
    const commit: Commit = {
      commitId: randomUUID(),
      actor,
      writes: changes.map(({ record: { kind, id, data }, present }) => ({
        ...{ op: 'put', kind, id, data },
        expect: present,
      })),
    }
    // The id makes the commit take effect only once, however often it is sent.
    return withPatience(patience, () => this.#send(commit))
  }

  async #send(commit: Commit): Promise<boolean> {
    const { store } = this.#options
    const { position } = await store.head()
    this.#attempt += 1
    const call: CommitCall = { writer: this.#writer, attempt: this.#attempt }
    const reply = await store.commit(position, [commit], call)
    if (reply.status !== 'ok')
      // Somebody else has changed the history between the two calls. The next attempt finds out what is stored.
      throw new CoordinatorError('COORD_STORE_FAULT', { detail: `The database answered ${reply.status}.` })
    const [result] = reply.results
    if (result?.outcome === 'refused') throw result.error
    return result?.outcome !== 'conflict'
  }
}
