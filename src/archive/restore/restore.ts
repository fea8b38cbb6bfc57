import type { Head, SeedPoint, Store } from '../../database/store.ts'
import { wrongMode } from '../../database/store-modes.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Entry, Position, Revision, StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { AccessPage } from '../format/archive-format.ts'
import { damaged } from '../format/damaged.ts'
import { StateDigest } from '../format/state-digest.ts'
import { recordSize } from '../format/write-base.ts'
import { entrySize } from '../format/write-log.ts'
import type { RestorePlan } from '../inventory/restore-plan.ts'
import { ArchiveReader, type ArchiveReaderOptions } from './archive-reader.ts'
import { inParts } from './in-parts.ts'
import { withLastGood } from './last-good.ts'
import { readTokens } from './read-tokens.ts'
import type { RestorePhase, RestoreProgress, RestoreReport } from './restore-progress.ts'
import { RestoredState } from './restored-state.ts'
import { withPatience } from './with-patience.ts'

export interface RestoreOptions extends Omit<ArchiveReaderOptions, 'onRead'> {
  /** It is opened here. The caller closes it. */
  readonly store: Store
  readonly plan: RestorePlan
  /** Called after each step. @default nothing */
  readonly onProgress?: (progress: RestoreProgress) => void
}

/** The most records, and the most entries, in one call of the store. */
const RECORDS_PER_CALL = 5_000
const ENTRIES_PER_CALL = 2_500

/**
 * Restores a moment of an archive into an empty store. The store is in mode `seeding` meanwhile, in which it serves nothing. At the end it
 * is in mode `copy` while the base in the store is read again, and compared with the archive. Only then is it opened.
 *
 * A restore that was interrupted, at any point, goes on when it is called again with the same plan. After a restore with another plan was
 * interrupted, it begins anew.
 *
 * @throws COORD_STORE_NOT_EMPTY; COORD_STORE_MODE; COORD_STORE_DAMAGED if the store does not have what was put into it; COORD_ARCHIVE_DAMAGED
 * with the last good revision in `detail`, and as `extra.lastGoodRevision`; COORD_ARCHIVE_NO_IDENTITY; and what stores and destinations throw
 */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { store, plan, patience } = options
  const head = await withPatience(patience, () => store.open())
  if (head.mode === 'open' && !isPartOf(head, plan))
    await withPatience(patience, () => store.setMode('open', 'seeding'))
  else if (head.mode === 'frozen' || (head.mode === 'copy' && !isPartOf(head, plan)))
    throw wrongMode(head.mode)
  try {
    return await new Restoring(options, head).run()
  } catch (thrown) {
    if (thrown !== otherRest) throw thrown
    if (head.mode === 'copy') throw wrongMode(head.mode)
    // `setMode` refuses a store that is in use. Otherwise, what was there is the rest of another restore.
    await withPatience(patience, () => store.setMode('open', 'seeding'))
    return await new Restoring(options, undefined).run()
  }
}

/** What the store has does not belong to this plan. */
const otherRest: unique symbol = Symbol('the rest of another restore')

class Restoring {
  readonly #options: RestoreOptions
  readonly #reader: ArchiveReader
  /** What the store had at the beginning, if it may be a part of the same restore. */
  readonly #found: Head | undefined
  /** Kept only if bases come after the first one, whose state digests can be compared. */
  readonly #state: RestoredState | undefined
  readonly #startedAt = performance.now()
  #phase: RestorePhase = 'seed'
  #position: Position
  #at = 0
  #records = 0
  #bytes = 0
  readonly #ofBytes: number
  /** The newest revision that was read, and verified as far as a file can be. */
  #verified: Revision | undefined
  readonly #comparedBases: Revision[] = []
  /** The state digest that the base recorded, once it was read. */
  #baseState: string | undefined
  #tokens: AccessPage['state'] | undefined
  /** How many records of the store were compared with the base. */
  #compared = 0

  constructor(options: RestoreOptions, found: Head | undefined) {
    const { plan, destination, identities = [], patience } = options
    const { lineage, base } = plan
    this.#options = options
    this.#reader = new ArchiveReader({
      ...{ destination, identities, patience },
      onRead: (bytes) => {
        this.#bytes += bytes
        this.#report()
      },
    })
    this.#found = found !== undefined && isPartOf(found, plan) ? found : undefined
    this.#ofBytes = bytesOf(plan)
    this.#state = plan.passedBases.length === 0 ? undefined : new RestoredState()
    this.#position = { lineage, revision: base.revision, digest: base.digest }
  }

  async run(): Promise<RestoreReport> {
    // First of all: a damaged file with tokens should not be found after hours.
    this.#tokens = await readTokens(this.#options.plan, this.#reader)
    try {
      await this.#seed()
      this.#phase = 'replay'
      await this.#replay()
    } catch (thrown) {
      throw withLastGood(thrown, this.#verified)
    }
    this.#phase = 'finish'
    return await this.#finish()
  }

  async #seed(): Promise<void> {
    const { plan } = this.#options
    // Only a seed that was complete is followed by entries.
    if (this.#found === undefined || this.#state !== undefined)
      for await (const { point, records, end } of this.#reader.records(plan.base.files)) {
        const { lineage, ancestors } = plan
        const { revision, digest, at } = point
        this.#at = at
        this.#baseState = end?.state
        await this.#state?.add(records)
        if (this.#found === undefined)
          await this.#storeRecords({ position: { lineage, revision, digest }, at, ancestors }, records)
      }
    this.#verified = plan.base.revision
  }

  async #storeRecords(point: SeedPoint, records: readonly StoredRecord[]): Promise<void> {
    // The first call, without records, also sets the head of an empty base, and removes the rest of another restore.
    if (this.#records === 0) await this.#ask((store) => store.seed(point, []))
    for await (const part of inParts(listsOf(records), { most: RECORDS_PER_CALL, sizeOf: recordSize })) {
      await this.#ask((store) => store.seed(point, part))
      this.#records += part.length
      this.#report()
    }
  }

  async #replay(): Promise<void> {
    const { plan } = this.#options
    const passed = new Set(plan.passedBases.map(({ revision }) => revision))
    const parts = inParts(this.#entries(), {
      most: ENTRIES_PER_CALL,
      sizeOf: entrySize,
      endsWith: ({ revision }) => passed.has(revision),
    })
    for await (const entries of parts) {
      await this.#state?.apply(entries)
      const last = entries.at(-1) as Entry
      if (passed.has(last.revision)) await this.#compare(last)
      await this.#storeEntries(entries)
      const { revision, digest, at } = last
      this.#position = { ...this.#position, revision, digest }
      this.#at = at
      this.#report()
    }
    const { target } = plan
    const { revision } = this.#position
    if (revision !== target.revision)
      throw new CoordinatorError('COORD_ARCHIVE_DAMAGED', {
        detail: `The archive ends at revision ${revision}, before revision ${target.revision}.`,
      })
  }

  async *#entries(): AsyncGenerator<readonly Entry[]> {
    const { plan } = this.#options
    for await (const entries of this.#reader.entriesTo(plan)) {
      this.#verified = entries.at(-1)?.revision
      yield entries
    }
  }

  async #storeEntries(entries: readonly Entry[]): Promise<void> {
    const { revision, digest } = entries.at(-1) as Entry
    const stored = this.#found?.position
    if (stored !== undefined && revision <= stored.revision) {
      if (revision === stored.revision && digest !== stored.digest) throw otherRest
      return
    }
    if (this.#found !== undefined && this.#found.mode !== 'seeding') throw otherRest
    const reply = await this.#ask((store) => store.replay(this.#position, entries))
    if (reply.status === 'ok') return
    if (this.#found !== undefined) throw otherRest
    throw new CoordinatorError('COORD_STORE_MODE', {
      detail: 'Another restore or copy fills the same database at the same time.',
      hint: 'End the other one, then run this command again.',
    })
  }

  /** Compares what the entries gave with a base that they have reached. @throws COORD_ARCHIVE_DAMAGED */
  async #compare({ revision, digest }: Entry): Promise<void> {
    const { plan } = this.#options
    const base = plan.passedBases.find((passed) => passed.revision === revision)
    if (base === undefined) return
    const lastGoodRevision = this.#comparedBases.at(-1) ?? plan.base.revision
    const [{ name = '' } = {}] = base.files
    const differs = (what: string) => withLastGood(damaged(name, what), lastGoodRevision)
    if (base.digest !== digest) throw differs(`Its digest is not the one of revision ${revision} in the log.`)
    const { state } = await this.#reader.endOfBase(base.files).catch((thrown: unknown) => {
      // A restore of this revision itself would begin with this base.
      throw withLastGood(thrown, revision - 1)
    })
    if ((await this.#state?.digest()) !== state)
      throw differs('The entries of the log lead to other records than those of this base.')
    this.#comparedBases.push(revision)
  }

  async #finish(): Promise<RestoreReport> {
    const found = this.#found
    const position = this.#position
    if (found !== undefined && !leadsTo(found, position)) throw otherRest
    const tokens = this.#tokens
    if (found?.mode !== 'open') {
      if (found?.mode !== 'copy') {
        if (tokens !== undefined) await this.#ask((store) => store.access.seed(tokens))
        // A fork from another position changes nothing: an earlier call has forked already.
        await this.#ask((store) => store.fork(position))
        await this.#ask((store) => store.setMode('seeding', 'copy'))
      }
      await this.#requireStored()
      await this.#ask((store) => store.setMode('copy', 'open'))
    }
    this.#report()
    const head = await this.#ask((store) => store.head())
    // All that the database has: it may have had tokens before, which stay.
    const access = await this.#ask((store) => store.access.load())
    return this.#reportOf(head, access.tokens)
  }

  /**
   * Reads the base from the store, and compares it with the archive. Two restores into one store at the same time remove what the other one
   * has put there; neither must leave half of its records in a store that looks whole.
   *
   * @throws COORD_STORE_DAMAGED. The store then is in mode `seeding`, and the next call begins anew
   */
  async #requireStored(): Promise<void> {
    const { plan, patience, store } = this.#options
    const state = this.#baseState ?? (await this.#reader.endOfBase(plan.base.files)).state
    const { position } = await this.#ask((asked) => asked.head())
    const isThere = position.revision === this.#position.revision && this.#isForked(position)
    if (isThere && (await withPatience(patience, () => this.#storedState(store))) === state) return
    await this.#ask((asked) => asked.setMode('copy', 'seeding'))
    const { lineage, ancestors, base } = plan
    const { revision, digest } = base
    await this.#ask((asked) => asked.seed({ position: { lineage, revision, digest }, at: 0, ancestors }, []))
    throw new CoordinatorError('COORD_STORE_DAMAGED', {
      detail:
        'The database does not have what was put into it: another restore or copy may have used it at the same time.',
      hint: 'End the other one, then run the same command again. It begins anew.',
    })
  }

  #isForked({ lineage, revision, digest }: Position): boolean {
    // A fork before the first commit changes the digest, which is the lineage there.
    return lineage !== this.#position.lineage && (revision === 0 || digest === this.#position.digest)
  }

  /** The state digest of the records that the store has at the revision of the base. */
  async #storedState(store: Store): Promise<string> {
    const digest = new StateDigest()
    const pace = new Pace()
    for await (const { records } of store.asOf({ revision: this.#options.plan.base.revision })) {
      for (const record of records) {
        digest.add(record)
        if (pace.due) await pace.turn()
      }
      this.#compared = digest.records
      this.#report()
    }
    return digest.finish()
  }

  #reportOf(head: Head, tokens: AccessPage['state']['tokens']): RestoreReport {
    const { plan } = this.#options
    const now = Date.now()
    const isActive = ({ revokedAt, expiresAt }: AccessPage['state']['tokens'][number]) =>
      revokedAt === null && (expiresAt === null || expiresAt > now)
    return {
      previous: plan.lineage,
      lineage: head.position.lineage,
      revision: this.#position.revision,
      at: this.#at,
      floor: head.floor,
      activeTokens: tokens.filter(isActive).length,
      comparedBases: this.#comparedBases,
      resumed: this.#found !== undefined,
      bytes: this.#bytes,
      tookMs: Math.round(performance.now() - this.#startedAt),
    }
  }

  #ask<T>(call: (store: Store) => Promise<T>): Promise<T> {
    const { patience, store } = this.#options
    return withPatience(patience, () => call(store))
  }

  #report(): void {
    const { plan, onProgress } = this.#options
    onProgress?.({
      phase: this.#phase,
      revision: this.#position.revision,
      baseRevision: plan.base.revision,
      lastRevision: plan.target.revision,
      records: this.#records,
      comparedRecords: this.#compared,
      bytes: this.#bytes,
      ofBytes: this.#ofBytes,
    })
  }
}

/** The size of all files that are read. Of a base that is passed, that is only the last part. */
function bytesOf({ base, logs, passedBases, access, moreAccess }: RestorePlan): number {
  const passed = passedBases.flatMap(({ files }) => files.at(-1) ?? [])
  return [...base.files, ...logs, ...passed, ...(access === undefined ? [] : [access]), ...moreAccess].reduce(
    (sum, { bytes }) => sum + bytes,
    0,
  )
}

async function* listsOf<T>(list: readonly T[]): AsyncGenerator<readonly T[]> {
  yield list
}

/** Whether a restore that had come so far ends at a position. One that was finished is there already. */
function leadsTo({ mode, position }: Head, { revision, digest }: Position): boolean {
  if (position.revision === revision) return position.digest === digest
  return position.revision < revision && mode === 'seeding'
}

/** Whether what a store has may be a part of the same restore: it has all of the base, and some entries. */
function isPartOf({ mode, position, floor, ancestors }: Head, plan: RestorePlan): boolean {
  const { lineage, base, target } = plan
  const isSame = position.lineage === lineage || ancestors.at(-1) === lineage
  if (!isSame || floor !== base.revision) return false
  const { revision } = position
  if (revision > target.revision) return false
  // Without entries, it is unknown whether the whole base is there, unless the restore was at its end.
  const isAtEnd = mode === 'open' || (mode === 'copy' && position.lineage !== lineage)
  return mode === 'seeding' ? revision > base.revision : isAtEnd
}
