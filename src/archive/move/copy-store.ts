import { CoordinatorError } from '../../errors.ts'
import type { Position, Revision } from '../../records/record.ts'
import { pause } from '../../scheduling/backoff.ts'
import { withPatience } from '../restore/with-patience.ts'
import { prepareTarget } from './copy-target.ts'
import type { MoveContext } from './move-context.ts'
import { replayJournal } from './replay-journal.ts'
import { seedCopy } from './seed-copy.ts'
import { TokenCopier } from './token-copier.ts'

export interface CopyOptions extends MoveContext {
  /** Whether the copy gets what is new until the signal of `patience` is aborted, or the target is opened. @default false */
  readonly follow?: boolean
  /** Whether everything is copied again, whatever the target has. @default false */
  readonly again?: boolean
  /** The pause between two questions for new entries, in milliseconds. @default 500 */
  readonly pollMs?: number
}

/**
 * `complete`: the copy had everything that the source had. `opened`: a cutover made the target take writes. `interrupted`: it was told to
 * end while it followed.
 */
export type CopyEnd = 'complete' | 'opened' | 'interrupted'

export interface CopyReport {
  readonly ended: CopyEnd
  readonly lineage: string
  readonly revision: Revision
  /** The revision from which on the copy knows the history. */
  readonly floor: Revision
  /** Tokens of clients, revoked ones included. */
  readonly tokens: number
  /** Whether the copy began with all records, and did not only go on after what was there. */
  readonly seeded: boolean
}

/**
 * Makes a store a copy of another one, with its history, and follows it. It goes on where an earlier copy ended, killed or not. It begins
 * again by itself if the source has forgotten what the copy lacks, or has another history.
 *
 * @throws COORD_STORE_NOT_EMPTY, COORD_STORE_MODE, COORD_TOKEN_NAME_TAKEN, and what the stores throw for longer than the patience
 */
export function copyStore(options: CopyOptions): Promise<CopyReport> {
  return new Copying(options).run()
}

class Copying {
  readonly #options: CopyOptions
  readonly #tokens: TokenCopier
  #seeded = false

  constructor(options: CopyOptions) {
    this.#options = options
    this.#tokens = new TokenCopier(options)
  }

  async run(): Promise<CopyReport> {
    const { follow, again = false, patience } = this.#options
    try {
      for (let anew = again; ; anew = false) {
        await this.#begin(anew)
        const ended = await this.#goOn()
        if (ended !== 'lost track') return await this.#report(ended)
      }
    } catch (thrown) {
      if (follow !== true || !patience.signal.aborted || thrown !== patience.signal.reason) throw thrown
      return this.#report('interrupted')
    }
  }

  async #begin(again: boolean): Promise<void> {
    const { to, patience } = this.#options
    if ((await prepareTarget(this.#options, { again })) !== 'seed') return
    this.#seeded = true
    await seedCopy(this.#options)
    await withPatience(patience, () => to.setMode('seeding', 'copy'))
  }

  async #goOn(): Promise<CopyEnd | 'lost track'> {
    const { to, patience, pollMs = 500 } = this.#options
    try {
      let { position, mode } = await withPatience(patience, () => to.head())
      for (let caughtUp = false; mode === 'copy'; caughtUp = true) {
        const reached = await this.#catchUp(position, caughtUp)
        if (reached === undefined) return 'lost track'
        if (this.#options.follow !== true) return 'complete'
        await pause(pollMs, patience.signal)
        mode = (await withPatience(patience, () => to.head())).mode
        position = reached
      }
      return mode === 'open' ? 'opened' : 'lost track'
    } catch (thrown) {
      if (!(thrown instanceof CoordinatorError && thrown.code === 'COORD_STORE_MODE')) throw thrown
      // Somebody has changed the mode of the target between two calls.
      const { mode } = await withPatience(patience, () => to.head())
      return mode === 'open' ? 'opened' : 'lost track'
    }
  }

  /** @returns `undefined` if one of the stores does not have the position of the other one */
  async #catchUp(position: Position, caughtUp: boolean): Promise<Position | undefined> {
    const replayed = await replayJournal(this.#options, position, caughtUp ? 'follow' : 'replay')
    if (replayed.status !== 'ok') return undefined
    await this.#tokens.bring(replayed.accessVersion)
    const { revision } = replayed.position
    this.#options.onProgress?.({ phase: 'follow', records: 0, revision, headRevision: revision })
    return replayed.position
  }

  async #report(ended: CopyEnd): Promise<CopyReport> {
    const { to, patience } = this.#options
    const { signal } = patience.signal.aborted ? new AbortController() : patience
    const { position, floor } = await withPatience({ ...patience, signal }, () => to.head())
    const { lineage, revision } = position
    return { ended, lineage, revision, floor, tokens: this.#tokens.count, seeded: this.#seeded }
  }
}
