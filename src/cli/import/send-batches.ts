import { setTimeout as pause } from 'node:timers/promises'
import { CoordinatorError } from '../../errors.ts'
import { type CoordinatorClient, notCoordinator } from '../coordinator-client.ts'
import type { Sent } from './make-batches.ts'
import type { Item } from './read-items.ts'

/** What an item's sender may not have meant. */
export interface ItemWarning {
  readonly code: string
  readonly message: string
}

/** What became of one item. */
export type Verdict =
  | {
      readonly item: Item
      readonly outcome: 'new' | 'changed' | 'unchanged'
      readonly warnings: readonly ItemWarning[]
    }
  | { readonly item: Item; readonly outcome: 'failed'; readonly code: string; readonly reason: string }

export interface SendOptions {
  readonly client: CoordinatorClient
  /** How long to go on trying while nothing is accepted, in milliseconds. */
  readonly patienceMs: number
  /** Told about a wait before another attempt. */
  readonly onRetry?: (error: CoordinatorError, waitMs: number) => void
}

/**
 * Sends batches one after another, so that the last of several registrations of one service wins, as in the input. What
 * the coordinator cannot take now is sent again: registering the same content twice changes nothing, so a lost answer is
 * harmless.
 */
export class BatchSender {
  readonly #options: SendOptions
  /** Whether the coordinator has answered at all: if not, it is probably not running, and waiting would not help. */
  #answered = false

  constructor(options: SendOptions) {
    this.#options = options
  }

  /** @throws the error that did not pass within the patience */
  async send(batch: readonly Sent[]): Promise<Verdict[]> {
    const verdicts = new Map<Item, Verdict>()
    for (const { item } of batch)
      if (item.fault !== undefined) verdicts.set(item, { item, outcome: 'failed', ...item.fault })
    let open = batch.filter(({ item }) => item.fault === undefined)
    const deadline = new Deadline(this.#options.patienceMs)
    while (open.length > 0) {
      const attempt = await this.#attempt(open, verdicts)
      if (attempt.open.length < open.length) deadline.renew()
      open = [...attempt.open]
      if (attempt.error !== undefined) await this.#wait(attempt.error, deadline)
    }
    return batch.map(({ item }) => verdicts.get(item) as Verdict)
  }

  /** One request. @returns what has to be sent again, and why */
  async #attempt(open: readonly Sent[], verdicts: Map<Item, Verdict>): Promise<Attempt> {
    let results: readonly unknown[]
    try {
      results = await this.#post(open)
    } catch (thrown) {
      const error = thrown as CoordinatorError
      // The request as a whole is refused: judged alone, only the guilty item is.
      if (isRefusal(error)) return this.#attemptEach(open, verdicts, error)
      if (!mayPass(error, this.#answered)) throw error
      return { open, error }
    }
    let postponed: CoordinatorError | undefined
    const left = open.filter(({ item }, index) => {
      const result = readResult(item, results[index])
      if (result instanceof CoordinatorError) {
        postponed = result
        return true
      }
      verdicts.set(item, result)
      return false
    })
    return { open: left, error: postponed }
  }

  async #attemptEach(
    open: readonly Sent[],
    verdicts: Map<Item, Verdict>,
    error: CoordinatorError,
  ): Promise<Attempt> {
    const [{ item }, ...others] = open as [Sent, ...Sent[]]
    if (others.length === 0) {
      verdicts.set(item, { item, outcome: 'failed', code: codeOf(error), reason: error.detail })
      return { open: [], error: undefined }
    }
    const half = Math.ceil(open.length / 2)
    const left = await this.#attempt(open.slice(0, half), verdicts)
    // Order matters where one service comes twice: nothing overtakes what has to wait.
    if (left.open.length > 0) return { open: [...left.open, ...open.slice(half)], error: left.error }
    return this.#attempt(open.slice(half), verdicts)
  }

  async #post(open: readonly Sent[]): Promise<readonly unknown[]> {
    const body = `[${open.map(({ text }) => text).join(',')}]`
    const answer = await this.#options.client.post('/register/batch', body, { timeoutMs: 60_000 })
    const results = (answer.body as { results?: unknown } | null)?.results
    if (Array.isArray(results) && results.length === open.length) {
      this.#answered = true
      return results
    }
    throw notCoordinator(this.#options.client.baseUrl, answer.status)
  }

  async #wait(error: CoordinatorError, deadline: Deadline): Promise<void> {
    this.#answered ||= error.code !== 'COORD_CLI_UNREACHABLE'
    const waitMs = Math.max(deadline.nextBackoffMs(), (error.retryAfterSeconds ?? 0) * 1_000)
    if (deadline.leftMs < waitMs) throw error
    this.#options.onRetry?.(error, waitMs)
    await pause(waitMs)
  }
}

interface Attempt {
  /** What has to be sent again. */
  readonly open: readonly Sent[]
  /** Why, where anything has. */
  readonly error: CoordinatorError | undefined
}

/** How long trying may still go on. Every success starts it anew. */
class Deadline {
  readonly #patienceMs: number
  #end: number
  #backoffMs = 250

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
    this.#end = performance.now() + patienceMs
  }

  get leftMs(): number {
    return this.#end - performance.now()
  }

  renew(): void {
    this.#end = performance.now() + this.#patienceMs
    this.#backoffMs = 250
  }

  nextBackoffMs(): number {
    const waitMs = this.#backoffMs
    this.#backoffMs = Math.min(5_000, waitMs * 2)
    return waitMs
  }
}

/** The coordinator's own word for an error, which an older command may not know. */
function codeOf({ code, extra }: CoordinatorError): string {
  return typeof extra['code'] === 'string' ? extra['code'] : code
}

/** Whether the request itself is at fault, and not the moment or the address. */
function isRefusal({ extra }: CoordinatorError): boolean {
  const { status } = extra
  return status === 400 || status === 413 || status === 422
}

function mayPass({ code, retryable, extra }: CoordinatorError, answered: boolean): boolean {
  const { status } = extra
  // Without a coordinator behind it a proxy answers 502 or 504, and not in the coordinator's words.
  if (code === 'COORD_CLI_UNREACHABLE') return answered && (typeof status !== 'number' || status >= 500)
  return retryable || status === 503
}

/** @returns an error where the item has to be sent again */
function readResult(item: Item, result: unknown): Verdict | CoordinatorError {
  const { success, created, changed, code, detail, retryable, warnings, errors } = (result ?? {}) as {
    readonly [member: string]: unknown
  }
  if (success === false) {
    if (retryable === true)
      return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
        detail: String(detail),
        extra: { code, status: 503 },
      })
    return { item, outcome: 'failed', code: String(code), reason: reasonOf(detail, errors) }
  }
  const outcome = created === true ? 'new' : changed === true ? 'changed' : 'unchanged'
  return { item, outcome, warnings: warningsOf(warnings) }
}

function reasonOf(detail: unknown, errors: unknown): string {
  const problems = (Array.isArray(errors) ? errors : []) as { path?: unknown; message?: unknown }[]
  // An item that is no object has no field to name.
  const texts = problems.map(({ path, message }) =>
    path === '' ? String(message) : `${String(path)}: ${String(message)}`,
  )
  return texts.length === 0 ? String(detail) : texts.join('; ')
}

function warningsOf(warnings: unknown): ItemWarning[] {
  const list = (Array.isArray(warnings) ? warnings : []) as { code?: unknown; message?: unknown }[]
  return list.map(({ code, message }) => ({ code: String(code), message: String(message) }))
}
