import type { Damage, StoreMode } from '../../database/store.ts'
import { type CoordinatorError, ERRORS, type ErrorCode, type ErrorEntry } from '../../errors.ts'

/**
 * - `memory`: serving; nothing survives the process.
 * - `connecting`: the database has not answered yet. `loading`: it has answered, and the records are being loaded.
 * - `ready`: serving, and the database answers. `degraded`: serving what was loaded. The database does not answer or is damaged, or the
 *   memory of this process is used up.
 * - `copy`, `frozen`: serving. The database answers, and takes no writes, because it follows another one, or another one takes its place:
 *   see `StoreMode`.
 */
export type LiveState = 'memory' | 'connecting' | 'loading' | 'ready' | 'degraded' | 'copy' | 'frozen'

export interface LiveStatus extends Problem {
  readonly state: LiveState
  /** The start of the state, epoch milliseconds. */
  readonly since: number
  readonly lastError?: LastError
  /** The mode of the database in its newest answer. */
  readonly mode: StoreMode
  /** Whether writes are stored, as far as is known. */
  readonly takesWrites: boolean
  /**
   * A snapshot is served, because the database could not be reached at the start, and it has not confirmed the records since. The time is
   * that of the snapshot, in epoch milliseconds.
   */
  readonly snapshotAt?: number
}

/** Absent if all is well. */
interface Problem {
  readonly reason?: string
  /** The code of an error of the database. */
  readonly code?: ErrorCode
  /** The next step for the operator. */
  readonly repair?: string
}

export interface LastError {
  readonly code: ErrorCode
  readonly detail: string
  /** Epoch milliseconds. */
  readonly at: number
}

/** One of three things that can fail alone: reads from the database, writes (a full disk can still be read), and memory. */
type Side = 'read' | 'write' | 'memory'

type Phase = 'connecting' | 'loading' | 'serving'

export interface StatusBoardOptions {
  readonly durable: boolean
  /**
   * How long the view may go without confirmation before that counts as a fault, in milliseconds. A store that is not durable is part of
   * this process and needs no confirmation.
   */
  readonly unconfirmedMaxMs: number
  readonly changed: (status: LiveStatus) => void
}

/** Keeps what is known about the database, and reports changes of the state. */
export class StatusBoard {
  readonly #durable: boolean
  readonly #unconfirmedMaxMs: number
  readonly #changed: (status: LiveStatus) => void
  readonly #faults = new Map<Side, { readonly error: CoordinatorError; readonly since: number }>()
  #phase: Phase = 'connecting'
  #mode: StoreMode = 'open'
  #stale: string | undefined
  /** The last answer that confirmed the view belongs to a question sent at this time, on the monotonic clock. */
  #confirmedAt: number | undefined
  /** Whether the last confirmation is too long ago. */
  #unconfirmed = false
  /** The damage that an examination of the store has found. */
  #damage: Damage | undefined
  /** See `LiveStatus`. */
  #snapshotAt: number | undefined
  #stopped = false
  #lastError: LastError | undefined
  #status: LiveStatus

  constructor({ durable, unconfirmedMaxMs, changed }: StatusBoardOptions) {
    this.#durable = durable
    this.#unconfirmedMaxMs = unconfirmedMaxMs
    this.#changed = changed
    this.#status = { state: 'connecting', since: Date.now(), mode: 'open', takesWrites: false }
  }

  /** Checks the clock first: after a pause of this process the first request comes before any timer has run. */
  get status(): LiveStatus {
    this.lookAtClock()
    return this.#status
  }

  /** The time since the view was last confirmed, in milliseconds; 0 before the first load. */
  get ageMs(): number {
    return this.#confirmedAt === undefined ? 0 : performance.now() - this.#confirmedAt
  }

  /**
   * The store has confirmed the view.
   *
   * @param askedAt when the question was sent, on the monotonic clock. A slow answer does not confirm what happened in the meantime
   */
  confirmed(askedAt: number): void {
    if (this.#confirmedAt === undefined || askedAt > this.#confirmedAt) this.#confirmedAt = askedAt
    this.lookAtClock()
    if (this.#snapshotAt === undefined) return
    this.#snapshotAt = undefined
    this.#update()
  }

  /**
   * A snapshot is served until the store confirms, or replaces it.
   *
   * @param at when the store confirmed it last, epoch milliseconds
   */
  servesSnapshot(at: number): void {
    const now = Date.now()
    this.#snapshotAt = Math.min(at, now)
    this.#confirmedAt = performance.now() - (now - this.#snapshotAt)
    this.#phase = 'serving'
    this.#update()
  }

  /** Notices when the last confirmation is too long ago. Call it often. */
  lookAtClock(): void {
    const unconfirmed = this.#durable && this.ageMs > this.#unconfirmedMaxMs
    if (unconfirmed === this.#unconfirmed || this.#stopped) return
    this.#unconfirmed = unconfirmed
    this.#update()
  }

  /** From now on nobody asks the store, so the age of the view says nothing about the database. */
  stop(): void {
    this.#stopped = true
  }

  /** The last error of a side that fails now. */
  fault(side: Side): CoordinatorError | undefined {
    return this.#faults.get(side)?.error
  }

  /** For how long a side has been failing, in milliseconds; 0 while it works. */
  failingForMs(side: Side): number {
    const since = this.#faults.get(side)?.since
    return since === undefined ? 0 : performance.now() - since
  }

  enter(phase: Phase): void {
    this.#phase = phase
    this.#update()
  }

  /** The mode of the database in an answer. */
  sawMode(mode: StoreMode): void {
    if (mode === this.#mode) return
    this.#mode = mode
    this.#update()
  }

  get mode(): StoreMode {
    return this.#mode
  }

  /** The view is being replaced. It is still served, but may be wrong until then. */
  markStale(reason: string | undefined): void {
    if (reason === this.#stale) return
    this.#stale = reason
    this.#update()
  }

  /**
   * The result of an examination of the store: the store contradicts itself, or no longer does. Such damage stops neither reading nor
   * writing.
   */
  examined(damage: Damage | undefined): void {
    this.#damage = damage
    this.#update()
  }

  failed(side: Side, error: CoordinatorError): void {
    this.#lastError = { code: error.code, detail: error.detail, at: Date.now() }
    this.#faults.set(side, { error, since: this.#faults.get(side)?.since ?? performance.now() })
    this.#update()
  }

  /**
   * Whether only a real write can prove that writing works again. The damage may be in one part of the database while a probe writes to
   * another.
   */
  get writesAreDamaged(): boolean {
    return this.fault('write')?.code === 'COORD_STORE_CORRUPT'
  }

  /** Called when one side works. It clears only the fault of this side. Otherwise the state would change with every commit. */
  succeeded(side: Side): void {
    if (this.#faults.delete(side)) this.#update()
  }

  #update(): void {
    const state = this.#state()
    const problem = this.#problem()
    const same =
      state === this.#status.state &&
      problem.reason === this.#status.reason &&
      this.#snapshotAt === this.#status.snapshotAt &&
      this.#mode === this.#status.mode
    if (same && this.#lastError === this.#status.lastError) return
    this.#status = {
      state,
      since: state === this.#status.state ? this.#status.since : Date.now(),
      ...problem,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      mode: this.#mode,
      takesWrites: this.#phase === 'serving' && this.#mode === 'open' && !this.#isFailing,
      ...(this.#snapshotAt === undefined ? {} : { snapshotAt: this.#snapshotAt }),
    }
    if (!same) this.#changed(this.#status)
  }

  #state(): LiveState {
    if (this.#phase !== 'serving') return this.#phase
    if (this.#isFailing || this.#damage !== undefined) return 'degraded'
    if (this.#mode !== 'open') return this.#mode === 'frozen' ? 'frozen' : 'copy'
    return this.#durable ? 'ready' : 'memory'
  }

  get #isFailing(): boolean {
    return (
      this.#faults.size > 0 ||
      this.#stale !== undefined ||
      this.#unconfirmed ||
      this.#snapshotAt !== undefined
    )
  }

  #problem(): Problem {
    const problem = this.#ownProblem()
    if (this.#snapshotAt === undefined) return problem
    const at = new Date(this.#snapshotAt).toISOString()
    const { reason = 'The database has not answered yet.', ...rest } = problem
    return {
      ...{ code: 'COORD_STORE_UNAVAILABLE', repair: repairOf('COORD_STORE_UNAVAILABLE') },
      ...rest,
      reason: `The coordinator started without its database, and serves a snapshot of ${at}. ${reason}`,
    }
  }

  /** Of several problems, chooses the one to report: a fault before a view that is out of date, and that before silence. */
  #ownProblem(): Problem {
    const [memory, write, read] = [this.fault('memory'), this.fault('write'), this.fault('read')]
    const faults = [memory, write, read].filter((fault) => fault !== undefined)
    // A fault that somebody has to repair is more informative than one that may pass by itself.
    const telling = faults.find(({ retryable }) => !retryable) ?? faults[0]
    if (telling !== undefined)
      return {
        reason: memory === undefined ? textOfBoth(write, read) : textOf(memory),
        code: telling.code,
        repair: telling.repair,
      }
    if (this.#stale !== undefined) return { reason: this.#stale }
    if (this.#phase !== 'serving') return {}
    if (this.#unconfirmed)
      return {
        reason: `For more than ${this.#unconfirmedMaxMs} ms the database has not confirmed that the served data is current. Either it does not answer, or this process was paused.`,
        code: 'COORD_STORE_TIMEOUT',
        repair: repairOf('COORD_STORE_TIMEOUT'),
      }
    if (this.#damage !== undefined)
      return {
        reason: `${ERRORS.COORD_STORE_DAMAGED.title}: ${this.#damage.found}`,
        code: 'COORD_STORE_DAMAGED',
        repair: this.#damage.repair,
      }
    return problemOfMode(this.#mode)
  }
}

function problemOfMode(mode: StoreMode): Problem {
  if (mode === 'open') return {}
  const [reason, repair] =
    mode === 'frozen'
      ? [
          'The database is frozen: another one takes its place. It serves reads, and refuses writes.',
          'If a cutover ended before it was done, run the same `coordinator cutover` again, or add --abort. If it was done, point clients and coordinators to the new database.',
        ]
      : [
          'The database is a copy of another one, which takes the writes. It serves reads, and refuses writes.',
          'Keep `coordinator copy --follow` running until `coordinator cutover` makes this database the one that takes writes.',
        ]
  return { reason, code: 'COORD_STORE_FROZEN', repair }
}

function repairOf(code: ErrorCode): string {
  const entry: ErrorEntry = ERRORS[code]
  return entry.repair ?? entry.hint
}

/** If both sides fail for different causes, both are reported: the newer one may be the one to repair. */
function textOfBoth(write: CoordinatorError | undefined, read: CoordinatorError | undefined): string {
  const texts = new Set([write, read].filter((fault) => fault !== undefined).map(textOf))
  const [first = '', second] = texts
  return second === undefined ? first : `Writing: ${first} Reading: ${second}`
}

function textOf({ code, detail }: CoordinatorError): string {
  return `${ERRORS[code].title}: ${detail}`
}
