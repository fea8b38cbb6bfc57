import { CoordinatorError } from '../../errors.ts'
import type { Commit, Position, Revision } from '../../records/record.ts'
import { refusalOf } from '../check-commit.ts'
import type {
  AsOfFilter,
  AsOfPage,
  ChangesReply,
  CommitCall,
  CommitReply,
  CommitResult,
  Head,
  HistoryOptions,
  HistoryPage,
  JournalReader,
  LoadPage,
  Moment,
  Store,
} from '../store.ts'
import { type Door, type DoorFunction, writes } from './door.ts'
import { commitArgument, commitReplyOf, positionJson } from './door-commit.ts'
import {
  entriesOf,
  headOf,
  numberOf,
  numbersOf,
  offTrackOf,
  positionOf,
  type Reply,
  readReply,
  rowsOf,
  textOf,
} from './door-replies.ts'

/** How many revisions one call of `compact` goes through: the head stays locked for about 20 ms. */
const COMPACT_CHUNK = 2_000

export interface DoorStoreOptions {
  /** The schema number of this program. */
  readonly schema: number
  /** Rows in a page of `load` and `asOf`. @default 2_000 */
  readonly pageSize?: number
}

/** What a store over the door does for itself: reaching it, and what belongs to the connection. */
type DoorStoreMethods = Pick<
  Store,
  'head' | 'load' | 'commit' | 'changes' | 'history' | 'asOf' | 'compact' | 'fork'
>

/** The Store port's methods, spoken through the functions of a PostgreSQL schema. */
export class DoorStore implements DoorStoreMethods {
  readonly #door: Door
  readonly #schema: number
  readonly #pageSize: number

  constructor(door: Door, { schema, pageSize = 2_000 }: DoorStoreOptions) {
    this.#door = door
    this.#schema = schema
    this.#pageSize = pageSize
  }

  head(): Promise<Head> {
    return this.#ask('head', '{}', headOf)
  }

  async *load(): AsyncGenerator<LoadPage> {
    let after: unknown
    do {
      const argument = JSON.stringify({ after, limit: this.#pageSize })
      const { next, ...page } = await this.#ask('load', argument, (reply) => ({
        lineage: textOf(reply, 'lineage'),
        ...rowsOf(reply),
      }))
      after = next
      yield page
    } while (after !== undefined)
  }

  async commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    const refusals = batch.map(refusalOf)
    const sound = batch.filter((_, index) => refusals[index] === undefined)
    const argument = commitArgument({ schema: this.#schema, after, call }, sound)
    const reply = await this.#ask('commit', argument, (answer) => commitReplyOf(answer, sound))
    if (reply.status !== 'ok' || sound.length === batch.length) return reply
    const judged = reply.results.values()
    const results = refusals.map(
      (error): CommitResult =>
        error === undefined ? (judged.next().value as CommitResult) : { outcome: 'refused', error },
    )
    return { ...reply, results }
  }

  changes(after: Position, limit: number, reader?: JournalReader): Promise<ChangesReply> {
    const argument = `{"after":${positionJson(after)},"limit":${wholeNumber(limit)}}`
    return this.#ask(
      'changes',
      argument,
      (reply) => offTrackOf(reply) ?? { status: 'ok', ...entriesOf(reply) },
      reader,
    )
  }

  history(kind: string, id: string, { before, limit = 100 }: HistoryOptions = {}): Promise<HistoryPage> {
    return this.#ask('history', JSON.stringify({ kind, id, before, limit }), (reply) => ({
      position: headOf(reply['head']).position,
      entries: entriesOf(reply).entries,
      previous: numbersOf(reply, 'previous'),
      ...(reply['next'] === undefined ? {} : { next: numberOf(reply, 'next') }),
      complete: reply['complete'] === true,
    }))
  }

  async *asOf(moment: Moment, filter: AsOfFilter = {}): AsyncGenerator<AsOfPage> {
    let next: { readonly revision: Revision; readonly after: unknown } | undefined
    do {
      const argument = JSON.stringify({ ...(next ?? bounded(moment)), ...filter, limit: this.#pageSize })
      const { page, after } = await this.#ask('as_of', argument, asOfPageOf)
      next = after === undefined ? undefined : { revision: page.position.revision, after }
      yield page
    } while (next !== undefined)
  }

  async compact(floor: Revision): Promise<Head> {
    const argument = JSON.stringify({ schema: this.#schema, floor, limit: COMPACT_CHUNK })
    for (;;) {
      const { head, done } = await this.#ask('compact', argument, (reply) => ({
        head: headOf(reply['head']),
        done: reply['done'] === true,
      }))
      if (done) return head
    }
  }

  fork(from: Position): Promise<Head> {
    const argument = `{"schema":${this.#schema},"from":${positionJson(from)}}`
    return this.#ask('fork', argument, (reply) => headOf(reply['head']))
  }

  async #ask<T>(
    name: DoorFunction,
    argument: string,
    read: (reply: Reply) => T,
    reader?: JournalReader,
  ): Promise<T> {
    const reply = await this.#door.call(name, argument, reader)
    return readReply(
      reply,
      (answer) => {
        throwRefusal(answer)
        return read(answer)
      },
      writes(name) ? 'unknown' : undefined,
    )
  }
}

/** JSON has no infinity. */
function wholeNumber(value: number): number {
  return Math.trunc(Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER))
}

function bounded(moment: Moment): Moment {
  return 'at' in moment ? { at: wholeNumber(Math.floor(moment.at)) } : moment
}

function asOfPageOf(reply: Reply): { readonly page: AsOfPage; readonly after: unknown } {
  if (reply['status'] === 'compacted') {
    const floor = numberOf(reply, 'floor')
    throw new CoordinatorError('COORD_REVISION_COMPACTED', {
      detail: `History before revision ${floor} is no longer kept.`,
      extra: { floor },
    })
  }
  if (reply['status'] === 'future') {
    const head = numberOf(reply, 'revision')
    throw new CoordinatorError('COORD_REVISION_FUTURE', {
      detail: `That revision does not exist yet; the newest is ${head}.`,
      extra: { head },
    })
  }
  const { records, next } = rowsOf(reply)
  return { page: { position: positionOf(reply), records }, after: next }
}

/** Answers that any writing function may give instead of doing its work. */
function throwRefusal(reply: Reply): void {
  if (reply['status'] === 'too_old')
    throw new CoordinatorError('COORD_SCHEMA_NEWER', {
      detail: `The schema has number ${String(reply['schema'])} and is written only by programs from number ${String(reply['oldest'])} on.`,
      outcome: 'not_written',
    })
  if (reply['status'] === 'busy') throw new CoordinatorError('COORD_STORE_BUSY', { outcome: 'not_written' })
}
