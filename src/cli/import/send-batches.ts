import { setTimeout as pause } from 'node:timers/promises'
import { CoordinatorError } from '../../errors.ts'
import { type CoordinatorClient, notCoordinator } from '../context/coordinator-client.ts'
import type { Sent } from './make-batches.ts'
import type { Item } from './read-items.ts'

/** Something that the sender of an item may not have intended. */
export interface ItemWarning {
  readonly code: string
  readonly message: string
}

/** The result for one item. */
export type Verdict =
  | {
      readonly item: Item
      readonly outcome: 'new' | 'changed' | 'unchanged'
      readonly warnings: readonly ItemWarning[]
    }
  | { readonly item: Item; readonly outcome: 'failed'; readonly code: string; readonly reason: string }

export interface SendOptions {
  readonly client: CoordinatorClient
  /** How long to keep trying while nothing is accepted, in milliseconds. */
  readonly patienceMs: number
  /** Called when the sender waits before another attempt. */
  readonly onRetry?: (error: CoordinatorError, waitMs: number) => void
}

/**
 * Sends batches one after another, so that the last of several registrations of one service wins, as in the input. Registrations that the
 * coordinator cannot take now are sent again. Registering the same content twice changes nothing, so a lost answer is harmless.
 */
export class BatchSender {
  readonly #options: SendOptions
  /** Whether the coordinator has answered at all. If not, it is probably not running, and waiting would not help. */
  #answered = false

  constructor(options: SendOptions) {
    this.#options = options
  }

  /** @throws the error that did not pass within `patienceMs` */
  async send(batch: readonly Sent[]): Promise<Verdict[]> {
    const verdicts = new Map<Item, Verdict>()
    for (const { item } of batch)
      if (item.fault !== undefined) verdicts.set(item, { item, outcome: 'failed', ...item.fault })
    const patience = new Patience(this.#options.patienceMs)
    let parts = [batch.filter(({ item }) => item.fault === undefined)]
    for (let [part, ...rest] = parts; part !== undefined && part.length > 0; [part, ...rest] = parts) {
      const { left, error } = await this.#attempt(part, verdicts)
      if (left.length < part.length) patience.renew()
      if (error !== undefined && isRefusal(error)) {
        // The request as a whole is refused. Halves find out which item is to blame.
        const half = Math.ceil(left.length / 2)
        parts = [left.slice(0, half), left.slice(half), ...rest]
      } else {
        // The order matters if a service comes twice, so nothing overtakes an item that has to wait.
        parts = error === undefined ? rest : [[...left, ...rest.flat()]]
        if (error !== undefined) await this.#wait(error, patience)
      }
    }
    return batch.map(({ item }) => verdicts.get(item) as Verdict)
  }

  /** One request. @returns what has to be sent again, and the reason */
  async #attempt(
    part: readonly Sent[],
    verdicts: Map<Item, Verdict>,
  ): Promise<{ readonly left: Sent[]; readonly error?: CoordinatorError | undefined }> {
    let results: readonly unknown[]
    try {
      results = await this.#post(part)
    } catch (thrown) {
      const error = thrown as CoordinatorError
      const [only, second] = part as [Sent, Sent?]
      if (isRefusal(error) && second === undefined) {
        const failed = { outcome: 'failed', code: codeOf(error), reason: error.detail } as const
        verdicts.set(only.item, { item: only.item, ...failed })
        return { left: [] }
      }
      if (isRefusal(error) || mayPass(error, this.#answered)) return { left: [...part], error }
      throw error
    }
    let error: CoordinatorError | undefined
    const left = part.filter(({ item }, index) => {
      const result = readResult(item, results[index])
      if (result instanceof CoordinatorError) error = result
      else verdicts.set(item, result)
      return result instanceof CoordinatorError
    })
    return { left, error }
  }

  async #post(part: readonly Sent[]): Promise<readonly unknown[]> {
    const body = `[${part.map(({ text }) => text).join(',')}]`
    const answer = await this.#options.client.post('/register/batch', body, { timeoutMs: 60_000 })
    const results = (answer.body as { results?: unknown } | null)?.results
    if (Array.isArray(results) && results.length === part.length) {
      this.#answered = true
      return results
    }
    throw notCoordinator(this.#options.client.baseUrl, answer.status)
  }

  async #wait(error: CoordinatorError, patience: Patience): Promise<void> {
    this.#answered ||= error.code !== 'COORD_CLI_UNREACHABLE'
    const waitMs = Math.max(patience.nextBackoffMs(), (error.retryAfterSeconds ?? 0) * 1_000)
    if (patience.leftMs < waitMs) throw error
    this.#options.onRetry?.(error, waitMs)
    await pause(waitMs)
  }
}

/** The time in which the sender keeps trying. Each success starts it again. */
class Patience {
  readonly #patienceMs: number
  #end = 0
  #backoffMs = 0

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
    this.renew()
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

/** The coordinator's own code of an error. An older command may not know it. */
function codeOf({ code, extra }: CoordinatorError): string {
  return typeof extra['code'] === 'string' ? extra['code'] : code
}

/** Whether the request itself is wrong, so that waiting or another address would not help. */
function isRefusal({ extra }: CoordinatorError): boolean {
  const { status } = extra
  return status === 400 || status === 413 || status === 422
}

function mayPass({ code, retryable, extra }: CoordinatorError, answered: boolean): boolean {
  const { status } = extra
  // A proxy without a coordinator behind it answers 502 or 504, without the coordinator's error format.
  if (code === 'COORD_CLI_UNREACHABLE') return answered && (typeof status !== 'number' || status >= 500)
  return retryable || status === 503
}

/** @returns an error if the item has to be sent again */
function readResult(item: Item, result: unknown): Verdict | CoordinatorError {
  const { success, created, changed, code, detail, retryable, ...rest } = (result ?? {}) as Members
  if (success === false && retryable === true)
    return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
      detail: String(detail),
      extra: { code, status: 503 },
    })
  if (success === false)
    return { item, outcome: 'failed', code: String(code), reason: reasonOf(detail, rest['errors']) }
  const outcome = created === true ? 'new' : changed === true ? 'changed' : 'unchanged'
  const warnings = membersOf(rest['warnings']).map(({ code, message }) => ({
    code: String(code),
    message: String(message),
  }))
  return { item, outcome, warnings }
}

function reasonOf(detail: unknown, errors: unknown): string {
  // An item that is not an object has no field to name.
  const texts = membersOf(errors).map(({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`)
  return texts.length === 0 ? String(detail) : texts.join('; ')
}

type Members = Readonly<Record<string, unknown>>

function membersOf(list: unknown): readonly Members[] {
  return Array.isArray(list) ? list : []
}
