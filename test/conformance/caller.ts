import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { entryWrite } from '../../src/database/judge-commit.ts'
import type {
  Accepted,
  AsOfFilter,
  CommitCall,
  CommitResult,
  Conflict,
  Moment,
  OffTrack,
  Reused,
  Store,
  Unchanged,
} from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type {
  Commit,
  Entry,
  Position,
  RecordKey,
  StoredRecord,
  Tombstone,
  Write,
} from '../../src/records/record.ts'
import { compareCodePoints } from '../../src/text/code-point-order.ts'
import { commitOf } from './build.ts'

/**
 * A coordinator reduced to what it must do: it knows a position, sends commits from it, and takes the entries of every
 * reply. Each entry is checked as it comes, so every case also tests that the journal has no gap, that its digests chain
 * and that its times never decrease.
 */
export class Caller {
  readonly store: Store
  readonly entries: Entry[] = []
  readonly #writer = randomUUID()
  #attempt = 0
  position: Position
  #at = 0

  constructor(store: Store, position: Position) {
    this.store = store
    this.position = position
  }

  /** A caller that knows everything up to now. */
  static async at(store: Store): Promise<Caller> {
    return new Caller(store, (await store.head()).position)
  }

  /** Sends a batch, in halves where it is refused as a whole, and follows up to it. */
  send(...batch: readonly Commit[]): Promise<readonly CommitResult[]> {
    return sendInHalves(batch, (part) => this.#sendWhole(part))
  }

  async #sendWhole(batch: readonly Commit[]): Promise<readonly CommitResult[]> {
    const reply = await this.store.commit(this.position, batch, this.nextCall())
    if (reply.status !== 'ok') throw new Error(`The store answered ${reply.status} to a commit.`)
    expect(reply.results).toHaveLength(batch.length)
    this.#take(reply.entries)
    if (reply.more) await this.follow()
    return reply.results
  }

  /** The call that comes next, for who makes it himself. */
  nextCall(): CommitCall {
    this.#attempt += 1
    return { writer: this.#writer, attempt: this.#attempt }
  }

  /** Sends one commit of these writes, and returns its result. */
  async write(...writes: readonly Write[]): Promise<CommitResult> {
    return (await this.send(commitOf(...writes)))[0] as CommitResult
  }

  /** Asks for the journal until nothing is left. Returns what came. */
  async follow(limit = 512): Promise<readonly Entry[]> {
    const known = this.entries.length
    for (let more = true; more; ) {
      const reply = await this.store.changes(this.position, limit)
      if (reply.status !== 'ok')
        throw new Error(`The store answered ${reply.status} to a question for changes.`)
      expect(reply.entries.length).toBeLessThanOrEqual(limit)
      if (reply.more) expect(reply.entries.length).toBeGreaterThan(0)
      this.#take(reply.entries)
      more = reply.more
    }
    return this.entries.slice(known)
  }

  #take(entries: readonly Entry[]): void {
    for (const entry of entries) {
      expect(entry.revision).toBe(this.position.revision + 1)
      expect(entry.digest).toBe(nextDigest(this.position.digest, entry.commitId))
      expect(entry.at).toSatisfy(Number.isSafeInteger)
      expect(entry.at).toBeGreaterThanOrEqual(this.#at)
      this.position = { ...this.position, revision: entry.revision, digest: entry.digest }
      this.#at = entry.at
      this.entries.push(entry)
    }
  }
}

/** Sends a batch as the live layer does: one that is refused as a whole goes in halves, until the culprit is alone. */
export async function sendInHalves(
  batch: readonly Commit[],
  send: (batch: readonly Commit[]) => Promise<readonly CommitResult[]>,
): Promise<readonly CommitResult[]> {
  try {
    return await send(batch)
  } catch (thrown) {
    const isRefused = thrown instanceof CoordinatorError && thrown.code === 'COORD_COMMIT_REFUSED'
    if (!isRefused || batch.length === 0) throw thrown
    expect(thrown.outcome).toBe('not_written')
    if (batch.length === 1) return [{ outcome: 'refused', error: thrown }]
    const middle = Math.ceil(batch.length / 2)
    const first = await sendInHalves(batch.slice(0, middle), send)
    return [...first, ...(await sendInHalves(batch.slice(middle), send))]
  }
}

export function accepted(result: CommitResult | undefined): Accepted {
  if (result?.outcome !== 'accepted') expect(result).toMatchObject({ outcome: 'accepted' })
  return result as Accepted
}

/** What a commit is answered when it comes again, after this first result. */
export function replayOf(first: CommitResult | undefined, { writes }: Commit) {
  return { ...first, replayed: true, writes: writes.map(entryWrite) }
}

export function unchanged(result: CommitResult | undefined): Unchanged {
  if (result?.outcome !== 'unchanged') expect(result).toMatchObject({ outcome: 'unchanged' })
  return result as Unchanged
}

export function conflict(result: CommitResult | undefined): Conflict {
  if (result?.outcome !== 'conflict') expect(result).toMatchObject({ outcome: 'conflict' })
  return result as Conflict
}

export function reused(result: CommitResult | undefined): Reused {
  if (result?.outcome !== 'reused') expect(result).toMatchObject({ outcome: 'reused' })
  return result as Reused
}

/** The error of a refused commit. */
export function refusal(result: CommitResult | undefined) {
  if (result?.outcome !== 'refused') throw new Error(`The commit was not refused but ${result?.outcome}.`)
  return result.error
}

/** Asserts a reply that says why the caller cannot be followed up, and returns it. */
export function offTrack(reply: { readonly status: string }, status: OffTrack['status']): OffTrack {
  expect(reply).toMatchObject({ status })
  expect(reply).not.toHaveProperty('results')
  expect(reply).not.toHaveProperty('entries')
  return reply as OffTrack
}

/** Everything a load gives, by key, and its pages as they came. */
export async function loadAll(store: Store) {
  const pages = await Array.fromAsync(store.load())
  const records: StoredRecord[] = pages.flatMap((page) => page.records).sort(byKey)
  const tombstones: Tombstone[] = pages.flatMap((page) => page.tombstones).sort(byKey)
  return { pages, records, tombstones }
}

/** All records of a moment, and the one position that its pages state. */
export async function recordsAsOf(store: Store, moment: Moment, filter?: AsOfFilter) {
  const pages = await Array.fromAsync(store.asOf(moment, filter))
  const position = pages[0]?.position as Position
  for (const page of pages) expect(page.position).toEqual(position)
  return { pages, position, records: pages.flatMap((page): readonly StoredRecord[] => page.records) }
}

/** The order of keys in `asOf`. */
export function byKey(left: RecordKey, right: RecordKey): number {
  return compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id)
}
