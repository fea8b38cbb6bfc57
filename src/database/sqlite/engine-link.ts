import { CoordinatorError, type WriteOutcome } from '../../errors.ts'
import type { ArgumentOf, MethodOf, ResultOf } from '../../workers/messages.ts'
import { workerModule } from '../../workers/peer.ts'
import { RequestLink } from '../../workers/request-link.ts'
import { startThread } from '../../workers/start-thread.ts'
import type { Engine, EngineOptions } from './engine.ts'

export type Operation = Exclude<MethodOf<Engine>, 'close'>
export type Argument<O extends Operation> = ArgumentOf<Engine, O>
export type Answer<O extends Operation> = ResultOf<Engine, O>

/** Operations that may have written something although no answer arrived. */
const writing: ReadonlySet<string> = new Set<Operation>([
  ...(['commit', 'fork', 'adopt', 'mendHead', 'raiseFloor', 'sweep', 'migrate'] as const),
  ...(['setMode', 'seed', 'clear', 'replay'] as const),
  ...(['putToken', 'revokeToken', 'requireAccess', 'seedAccess'] as const),
])
/** Operations whose duration depends on the size of the file. */
const unbounded: ReadonlySet<string> = new Set<Operation>(['open', 'migrate', 'verify', 'mendHead'])

export interface EngineLinkOptions {
  readonly input: EngineOptions
  /** How long a call may take, including the calls before it, in milliseconds. */
  readonly callTimeoutMs: number
  /** Called when the thread has ended, for whatever reason. */
  readonly onEnd: () => void
}

/**
 * Sends calls to the thread that owns the database file. The thread starts with the first call. If it ends unexpectedly, calls without an
 * answer fail, and the next call starts another thread.
 */
export class EngineLink {
  readonly #link: RequestLink<Engine>
  readonly #callTimeoutMs: number

  constructor({ input, callTimeoutMs, onEnd }: EngineLinkOptions) {
    this.#callTimeoutMs = callTimeoutMs
    const module = workerModule(import.meta.url, 'worker')
    this.#link = new RequestLink<Engine>({
      start: (listener) => startThread(module, { name: 'sqlite', input }, listener),
      lost: ({ cause }, { method }) =>
        new CoordinatorError('COORD_STORE_FAULT', {
          detail:
            'The thread that owns the database file ended unexpectedly. The next call starts another one.',
          cause,
          ...outcomeOf(method),
        }),
      onEnd,
    })
  }

  /** Whether a thread runs now. */
  get running(): boolean {
    return this.#link.peer !== undefined
  }

  /** Calls that have no answer yet. */
  get depth(): number {
    return this.#link.depth
  }

  /** @throws CoordinatorError; with `outcome` for operations that write */
  call<O extends Operation>(operation: O, argument: Argument<O>): Promise<Answer<O>> {
    const ms = this.#callTimeoutMs
    const error = () =>
      new CoordinatorError('COORD_STORE_TIMEOUT', {
        detail: `SQLite did not answer within ${ms} ms.`,
        ...outcomeOf(operation),
      })
    const timeout = unbounded.has(operation) ? undefined : { ms, error }
    return this.#link.call(operation, argument, { timeout })
  }

  /**
   * Lets the thread answer its calls, close the file and end.
   *
   * @throws COORD_STORE_FAULT if the file could not be closed; acknowledged commits are on disk nevertheless
   */
  async close(): Promise<void> {
    try {
      await this.#link.finish()
    } catch (cause) {
      throw new CoordinatorError('COORD_STORE_FAULT', {
        detail: 'The database file could not be closed in order.',
        cause,
      })
    }
  }
}

function outcomeOf(operation: string): { readonly outcome?: WriteOutcome } {
  return writing.has(operation) ? { outcome: 'unknown' } : {}
}
