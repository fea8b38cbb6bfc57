import { setTimeout as sleep } from 'node:timers/promises'
import type { Position } from '../../records/record.ts'
import {
  REPLICA_PATIENCE_MS,
  type ReplicaInspection,
  type ReplicaOperation,
  type ReplicaOutcome,
  type ReplicaReport,
  replicaOperations,
  replicaOutcomes,
} from '../replicas.ts'
import type { PastNeeds, PastQuestion } from '../sql-functions/past-question.ts'
import { headOf, type Reply, readReply } from '../sql-functions/read-reply.ts'
import type { ChangesReply, Head } from '../store.ts'
import type { Connection } from './connection.ts'
import { HistoryCheck, type Relation } from './history-check.ts'
import type { KnownEnd, KnownPositions } from './known-positions.ts'
import type { PostgresSettings } from './options.ts'
import { asFailure, Replica, type ReplicaState } from './replica.ts'

/** How often a replica that is behind is asked for its head, in milliseconds. */
const HEAD_PAUSE_MS = 25
/** After a load from replicas, the next one within this time comes from the primary: the first one was of no use. In milliseconds. */
const LOAD_AGAIN_MS = 60_000
/** How long `inspect` waits for a replica, in milliseconds. */
const INSPECT_MS = 5_000

/** What the primary is asked for. */
export interface PrimaryQuestions {
  head(): Promise<Head>
  /** The changes after a position, without the entries. */
  changesAfter(position: Position): Promise<ChangesReply>
}

type Passed = Exclude<ReplicaOutcome, 'answered' | 'primary'>
type Asked<T> = { readonly passed: Passed } | { readonly answer: T } | 'primary decides'

/**
 * Answers questions about the past from replicas. Every answer has the head of the moment at which it was read. It counts only if that
 * head is a part of the primary's history, and has what was asked for. Otherwise the next replica is asked, and at last the primary: so a
 * replica can make an answer late, but never wrong.
 */
export class ReplicaReads {
  readonly #settings: PostgresSettings
  readonly #known: KnownPositions
  readonly #primary: PrimaryQuestions
  readonly #history: HistoryCheck
  readonly #replicas: readonly Replica[]
  readonly #reads = countersFor(replicaOperations)
  #turn = 0
  #loadedAt = Number.NEGATIVE_INFINITY
  /** The end of the primary's history when the replicas were checked before. */
  #endBefore: KnownEnd | undefined
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined
  #closed = false

  /** @param known what the primary told so far */
  constructor(settings: PostgresSettings, known: KnownPositions, primary: PrimaryQuestions) {
    this.#settings = settings
    this.#known = known
    this.#primary = primary
    this.#history = new HistoryCheck(known, (position) => primary.changesAfter(position))
    this.#replicas = settings.replicas.map((target) => new Replica(settings, target))
  }

  get report(): ReplicaReport {
    return { replicas: this.#replicas.map(({ figures }) => figures), reads: structuredClone(this.#reads) }
  }

  /** From now on asks each replica for its head and its role, again and again. */
  start(): void {
    if (this.#checking !== undefined || this.#closed) return
    const check = () => {
      this.#checking = this.#check().finally(() => {
        if (!this.#closed) this.#timer = setTimeout(check, this.#settings.replicaCheckMs).unref()
      })
    }
    check()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await Promise.all([this.#checking, ...this.#replicas.map((replica) => replica.close())])
  }

  /**
   * Begins a question of one or more pages.
   *
   * @returns `undefined` if the primary answers questions of this kind
   */
  begin(operation: ReplicaOperation): ReplicaReading | undefined {
    if (!this.#settings.replicaReads.includes(operation)) return undefined
    return new ReplicaReading((question, state) => this.#answer(operation, question, state), this.#known.end)
  }

  /** Asks every replica about itself, side by side. */
  async inspect(): Promise<readonly ReplicaInspection[]> {
    const { position } = await this.#primary.head()
    return Promise.all(
      this.#replicas.map(async (replica): Promise<ReplicaInspection> => {
        try {
          const { head, standby, ...settings } = await replica.ask(INSPECT_MS)
          const until = performance.now() + REPLICA_PATIENCE_MS
          const relation = await this.#relationOf(replica, head.position, until)
          const { host } = replica.figures
          return {
            ...{ host, standby, position: head.position, ...settings },
            sameHistory: relation !== 'other',
            lagRevisions: Math.max(0, position.revision - head.position.revision),
          }
        } catch (thrown) {
          if (thrown instanceof PrimaryFailure) throw thrown.cause
          return { host: replica.figures.host, failure: asFailure(thrown) }
        }
      }),
    )
  }

  async #answer<T>(
    operation: ReplicaOperation,
    question: PastQuestion<T>,
    state: ReadingState,
  ): Promise<{ readonly answer: T } | undefined> {
    const counts = this.#reads[operation]
    // What was known when the first page was asked for: every page has at least that.
    const end = state.end ?? this.#known.end
    const until = performance.now() + this.#settings.callTimeoutMs / 2
    for (const replica of this.#inTurn(operation, question.needs, state)) {
      if (end === undefined || this.#closed || performance.now() >= until) break
      // Meanwhile a check, or another question, may have found that it does not answer.
      if (replica.rests) continue
      const asked = await this.#ask(replica, { operation, question, end })
      if (asked === 'primary decides') break
      if ('answer' in asked) {
        counts.answered += 1
        state.replica = replica
        if (operation === 'load') this.#loadedAt = performance.now()
        return asked
      }
      counts[asked.passed] += 1
    }
    counts.primary += 1
    return undefined
  }

  /** The replicas in the order in which this page is asked of them. The pages of one question stay with one replica as long as it answers. */
  #inTurn(operation: ReplicaOperation, needs: PastNeeds, { replica: first }: ReadingState): Replica[] {
    const { end } = this.#known
    // Without an answer of the primary there is nothing to judge by. A store that is being filled serves nothing.
    if (end === undefined || this.#known.mode === 'seeding') return []
    if (typeof needs === 'object' && 'revision' in needs && needs.revision > end.position.revision) return []
    const isRepeated = performance.now() - this.#loadedAt < LOAD_AGAIN_MS
    if (operation === 'load' && first === undefined && isRepeated) return []
    this.#turn = (this.#turn + 1) % this.#replicas.length
    const turned = [...this.#replicas.slice(this.#turn), ...this.#replicas.slice(0, this.#turn)]
    const ready = turned.filter((replica) => !replica.rests)
    return first === undefined || first.rests
      ? ready
      : [first, ...ready.filter((replica) => replica !== first)]
  }

  async #ask<T>(replica: Replica, asking: Asking<T>): Promise<Asked<T>> {
    try {
      return await replica.read((connection) => this.#askUntil(replica, connection, asking))
    } catch (thrown) {
      // Without the primary nothing can be judged, and it would not answer the question itself.
      if (thrown instanceof PrimaryFailure) throw thrown.cause
      if (!this.#closed) replica.failed(thrown)
      return { passed: 'failed' }
    }
  }

  /** Asks, and asks again as soon as the replica has what is wanted, if it has it within a moment. */
  async #askUntil<T>(
    replica: Replica,
    connection: Connection,
    { operation, question, end }: Asking<T>,
  ): Promise<Asked<T>> {
    const until = replica.patience
    for (;;) {
      const raw = await replica.call(connection, operation, question.argument)
      const { head, status } = readReply(raw, headAndStatus)
      if (head === undefined) return { passed: replica.answered(head, 'behind', end) }
      const relation = await this.#relationOf(replica, head.position, until)
      if (relation === 'other') {
        replica.rest()
        return { passed: replica.answered(head, 'other_history', end) }
      }
      if (relation === 'same' && hasEnough(head, question.needs, end)) {
        // Only the primary may refuse a moment.
        if (status !== 'ok') return 'primary decides'
        const answer = readReply(raw, question.read)
        replica.answered(head, 'answered', this.#known.end)
        return { answer }
      }
      replica.answered(head, 'behind', this.#known.end)
      if (!(await this.#waitFor(replica, connection, { needs: question.needs, end, until }))) {
        replica.waitedInVain()
        return { passed: 'behind' }
      }
    }
  }

  /** Resolves when the head of the replica is enough, or it is too late: then with `false`. */
  async #waitFor(
    replica: Replica,
    connection: Connection,
    { needs, end, until }: { readonly needs: PastNeeds; readonly end: KnownEnd; readonly until: number },
  ): Promise<boolean> {
    while (performance.now() < until && !this.#closed) {
      await sleep(HEAD_PAUSE_MS)
      const head = await replica.head(connection)
      if (!this.#known.descendsFrom(head.position.lineage) && hasEnough(head, needs, end)) return true
    }
    return false
  }

  /**
   * A standby may show a commit before the primary does: for a moment, `ahead` is asked again. It stays so while the commit waits for another,
   * synchronous standby, or if the primary has lost its newest commits. Then the replica has at least the end of the primary's history.
   */
  async #relationOf(replica: Replica, position: Position, until: number): Promise<Relation> {
    for (;;) {
      const relation = await this.#history.relationOf(position).catch(asPrimaryFailure)
      if (relation !== 'ahead') return relation
      if (performance.now() >= until) break
      await sleep(HEAD_PAUSE_MS)
    }
    const { end } = this.#known
    return end !== undefined && (await replica.knows(end.position)) ? 'ahead' : 'other'
  }

  async #check(): Promise<void> {
    const end = this.#known.end
    await Promise.all(this.#replicas.map((replica) => this.#checkOne(replica)))
    this.#endBefore = end
  }

  async #checkOne(replica: Replica): Promise<void> {
    let state: ReplicaState
    try {
      state = await replica.ask()
    } catch (thrown) {
      if (!this.#closed) replica.failed(thrown)
      return
    }
    const { head, standby } = state
    const isPromoted = replica.noteRole(standby)
    const outcome = await this.#outcomeOf(replica, head)
    replica.answered(head, outcome, this.#known.end)
    if (isPromoted) replica.chooseAgain()
  }

  /** A replica is behind if it lacks what the primary had when the replicas were checked before. */
  async #outcomeOf(replica: Replica, head: Head): Promise<'answered' | 'behind' | 'other_history'> {
    const before = this.#endBefore?.position
    const isBehind = before?.lineage === head.position.lineage && head.position.revision < before.revision
    try {
      const relation = await this.#relationOf(replica, head.position, performance.now() + REPLICA_PATIENCE_MS)
      if (relation === 'other') {
        replica.rest()
        return 'other_history'
      }
      return isBehind || relation === 'behind' ? 'behind' : 'answered'
    } catch {
      // The primary does not answer. That says nothing about the replica, which has just answered.
      return isBehind ? 'behind' : 'answered'
    }
  }
}

interface Asking<T> {
  readonly operation: ReplicaOperation
  readonly question: PastQuestion<T>
  /** The end of the primary's history that was known when the question came. */
  readonly end: KnownEnd
}

interface ReadingState {
  readonly end: KnownEnd | undefined
  /** The replica that answered the page before. */
  replica: Replica | undefined
}

type Answer = <T>(
  question: PastQuestion<T>,
  state: ReadingState,
) => Promise<{ readonly answer: T } | undefined>

/** One question of one or more pages. */
export class ReplicaReading {
  readonly #answer: Answer
  readonly #state: ReadingState

  constructor(answer: Answer, end: KnownEnd | undefined) {
    this.#answer = answer
    this.#state = { end, replica: undefined }
  }

  /** @returns `undefined` if the primary has to answer this page */
  answer<T>(question: PastQuestion<T>): Promise<{ readonly answer: T } | undefined> {
    return this.#answer(question, this.#state)
  }
}

/** Tells a failure of the primary, which is the cause, from one of the replica. */
class PrimaryFailure extends Error {}

function asPrimaryFailure(cause: unknown): never {
  throw new PrimaryFailure('the primary did not confirm a position', { cause })
}

function headAndStatus(reply: Reply): { readonly head: Head | undefined; readonly status: unknown } {
  return {
    status: reply['status'],
    // The schema of a replica may be older, until it has replayed a migration.
    head: reply['head'] === undefined ? undefined : headOf(reply['head']),
  }
}

/** Whether a replica with this head has what a question needs. */
function hasEnough({ position, floor, at }: Head, needs: PastNeeds, end: KnownEnd): boolean {
  // What the primary has deleted is refused, even if a replica still has it.
  if (floor < end.floor) return false
  const newest = end.position.revision
  if (needs === 'newest') return position.revision >= newest
  if ('revision' in needs) return position.revision >= needs.revision
  // A later entry is there, so that none can come at or before that time any more.
  return at > needs.at || position.revision >= newest
}

function countersFor(
  operations: readonly ReplicaOperation[],
): Record<ReplicaOperation, Record<ReplicaOutcome, number>> {
  const zeros = () =>
    Object.fromEntries(replicaOutcomes.map((outcome) => [outcome, 0])) as Record<ReplicaOutcome, number>
  return Object.fromEntries(operations.map((operation) => [operation, zeros()])) as Record<
    ReplicaOperation,
    Record<ReplicaOutcome, number>
  >
}
