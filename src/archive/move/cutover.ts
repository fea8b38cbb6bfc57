import { descendsFrom } from '../../database/ancestors.ts'
import type { Head } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Position, Revision } from '../../records/record.ts'
import { withPatience } from '../restore/with-patience.ts'
import { abortCutover } from './abort-cutover.ts'
import { compareEntries, compareStates } from './compare-states.ts'
import { beginningOf, prepareTarget } from './copy-target.ts'
import type { MoveContext } from './move-context.ts'
import { replayJournal } from './replay-journal.ts'
import { TokenCopier } from './token-copier.ts'

export interface CutoverReport {
  readonly lineage: string
  readonly revision: Revision
  /** For how long no database took writes, in milliseconds; 0 if an earlier cutover was done already. */
  readonly pauseMs: number
  /** Whether an earlier cutover had frozen the source. */
  readonly resumed: boolean
  /** Tokens of clients, revoked ones included. */
  readonly tokens: number
}

/** The source is frozen when the copy lacks no more entries than this, or has come no closer for some rounds. */
const FEW_ENTRIES = 1_000
const ROUNDS_MAX = 10
/** How long failures that may pass are tried again while nobody takes writes, in milliseconds. */
const PAUSED_PATIENCE_MS = 10_000

/**
 * Lets a copy take the place of its source, with the same lineage and the same revisions. All records are compared first. Then the source
 * is frozen, the copy gets and compares the last entries, and takes writes. Never do both take writes.
 *
 * A cutover that was killed goes on when it is called again; `abortCutover` undoes it instead. One that fails after the source was frozen
 * undoes itself if it can; the copy then has to be made again.
 *
 * @throws COORD_STORE_MODE, COORD_STORE_NOT_EMPTY, COORD_COPY_DIFFERS, and what the stores throw
 */
export function cutover(context: MoveContext): Promise<CutoverReport> {
  return new Cutover(context).run()
}

class Cutover {
  readonly #context: MoveContext
  /** While nobody takes writes. It is not interrupted: it ends soon by itself, well or not. */
  readonly #paused: MoveContext
  readonly #tokens: TokenCopier

  constructor(context: MoveContext) {
    const { patienceMs } = context.patience
    const patience = {
      patienceMs: Math.min(patienceMs, PAUSED_PATIENCE_MS),
      signal: new AbortController().signal,
    }
    this.#context = context
    this.#paused = { ...context, patience }
    this.#tokens = new TokenCopier(this.#paused)
  }

  async run(): Promise<CutoverReport> {
    const { from, to, patience } = this.#context
    const source = await withPatience(patience, () => from.head())
    const target = await withPatience(patience, () => to.head())
    const resumed = source.mode === 'frozen'
    if (resumed && target.mode === 'open') return this.#done(source, target)
    await this.#requireCopy()
    const compared = await this.#compareAll()
    const frozenAt = performance.now()
    const position = await this.#drain(compared)
    await this.#open(position)
    const pauseMs = Math.round(performance.now() - frozenAt)
    const { lineage, revision } = position
    return { lineage, revision, pauseMs, resumed, tokens: this.#tokens.count }
  }

  /** An earlier cutover opened the target, and was killed before it said so. */
  #done(source: Head, target: Head): CutoverReport {
    if (!descendsFrom(target, source.position.lineage)) throw notCopied('has another history')
    const { lineage, revision } = target.position
    return { lineage, revision, pauseMs: 0, resumed: true, tokens: 0 }
  }

  async #requireCopy(): Promise<void> {
    const { how, target } = await beginningOf(this.#context)
    if (how === 'seed')
      throw notCopied(
        target.mode === 'copy'
          ? 'lacks what the one of --from has forgotten, or has another history'
          : `is in mode ${target.mode}, and not a whole copy yet`,
      )
    await prepareTarget(this.#context)
  }

  /** Compares all records, then what was written meanwhile, until little is left. @returns the position up to which both are the same */
  async #compareAll(): Promise<Position> {
    const { to, patience } = this.#context
    const { position } = await withPatience(patience, () => to.head())
    let compared = await catchUp(this.#context, position)
    for (let attempt = 1; !(await this.#isSame(compared, attempt)); attempt += 1)
      compared = await catchUp(this.#context, compared)
    for (let round = 1; ; round += 1) {
      const before = compared
      compared = await catchUp(this.#context, before)
      await compareEntries(this.#context, { after: before, upTo: compared })
      if (round === ROUNDS_MAX || compared.revision - before.revision <= FEW_ENTRIES) return compared
    }
  }

  /** @returns `false` if the source forgot the revision meanwhile */
  async #isSame({ revision }: Position, attempt: number): Promise<boolean> {
    try {
      await compareStates(this.#context, revision)
      return true
    } catch (thrown) {
      const isCompacted = thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED'
      if (isCompacted && attempt < ROUNDS_MAX) return false
      throw thrown
    }
  }

  /** Freezes the source, and gives the target the rest. If that fails, the source takes writes again. */
  async #drain(compared: Position): Promise<Position> {
    const { from, patience } = this.#paused
    try {
      await withPatience(patience, () => from.setMode('open', 'frozen'))
      const position = await catchUp(this.#paused, compared)
      await compareEntries(this.#paused, { after: compared, upTo: position })
      const source = await withPatience(patience, () => from.head())
      if (source.mode !== 'frozen' || !samePosition(source.position, position)) throw abortedMeanwhile()
      await this.#tokens.bring()
      return position
    } catch (thrown) {
      await this.#undo(thrown)
      throw thrown
    }
  }

  /** @throws `failure` with another hint, if it cannot be undone */
  async #undo(failure: unknown): Promise<void> {
    try {
      await abortCutover(this.#paused, { forkIfLost: false })
    } catch {
      throw stillFrozen(failure)
    }
  }

  async #open({ revision }: Position): Promise<void> {
    const { from, to, patience, onProgress } = this.#paused
    // This process may have been stopped for a long time, in which somebody aborted the cutover, and copied again.
    const { mode } = await withPatience(patience, () => from.head())
    if (mode !== 'frozen') throw abortedMeanwhile()
    try {
      await withPatience(patience, () => to.setMode('copy', 'open'))
    } catch (thrown) {
      // It may be open nevertheless, so the source must not take writes.
      throw stillFrozen(thrown)
    }
    onProgress?.({ phase: 'cutover', records: 0, revision, headRevision: revision })
  }
}

async function catchUp(context: MoveContext, after: Position): Promise<Position> {
  const replayed = await replayJournal(context, after, 'cutover')
  if (replayed.status === 'ok') return replayed.position
  throw notCopied('lacks what the one of --from has forgotten, or has another history')
}

function samePosition(one: Position, other: Position): boolean {
  return one.lineage === other.lineage && one.revision === other.revision && one.digest === other.digest
}

function notCopied(what: string): CoordinatorError {
  return new CoordinatorError('COORD_STORE_MODE', {
    detail: `The database of --to ${what}.`,
    hint: 'Run `coordinator copy` with the same --from and --to first.',
  })
}

function abortedMeanwhile(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_MODE', {
    detail: 'The database of --from has taken writes meanwhile: somebody has aborted the cutover.',
    hint: 'Run `coordinator copy` again, and then the cutover.',
  })
}

/** The failure, with both facts that count: why it failed, and that nobody takes writes now. */
function stillFrozen(failure: unknown): unknown {
  if (!(failure instanceof CoordinatorError)) return failure
  return failure.with({
    detail: `${failure.detail} The database of --from is still frozen, so that nobody takes writes.`,
    hint: 'Run the same command again to go on, or with --abort to let the old database take writes again.',
  })
}
