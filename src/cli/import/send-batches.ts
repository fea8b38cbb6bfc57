import { setTimeout as pause } from 'node:timers/promises'
import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import { type CoordinatorClient, notCoordinator } from '../context/coordinator-client.ts'
import type { Item } from './item.ts'
import type { Sent } from './make-batches.ts'

/** Something that the sender of an item may not have intended. */
export interface ItemWarning {
  readonly code: string
  readonly message: string
  /** The member of the item that it is about, as a JSON pointer. */
  readonly path?: string
}

/** The result for one item. */
export type Verdict =
  | {
      readonly item: Item
      readonly outcome: 'new' | 'changed' | 'unchanged'
      /** The id of the service, the node or the edge. */
      readonly id: string
      readonly warnings: readonly ItemWarning[]
    }
  | { readonly item: Item; readonly outcome: 'failed'; readonly code: string; readonly reason: string }

export interface SendOptions {
  readonly client: CoordinatorClient
  /** How long to keep trying while nothing is accepted, in milliseconds. */
  readonly patienceMs: number
  /** Ends the waiting between attempts. */
  readonly interrupted?: AbortSignal | undefined
  /** Ends a request that is on its way. @default `interrupted` */
  readonly cut?: AbortSignal | undefined
  /** Called when the sender waits before another attempt. */
  readonly onRetry?: (error: CoordinatorError, waitMs: number) => void
}

/**
 * Sends batches one after another, so that the last of several registrations of one service wins, as in the input. What the coordinator
 * cannot take now is sent again. Sending the same content twice changes nothing, so a lost answer is harmless.
 */
export class BatchSender {
  readonly #options: SendOptions
  /** Whether the coordinator has answered at all. If not, it is probably not running, and waiting would not help. */
  #answered = false

  constructor(options: SendOptions) {
    this.#options = options
  }

  /** @throws the error that did not pass within `patienceMs`, or the reason of a signal */
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
      results = part[0]?.item.about === undefined ? await this.#post(part) : await this.#put(part)
    } catch (thrown) {
      this.#options.cut?.throwIfAborted()
      const error = thrown as CoordinatorError
      const [only, second] = part as [Sent, Sent?]
      if (isRefusal(error) && second === undefined) {
        verdicts.set(only.item, refused(only.item, error))
        return { left: [] }
      }
      if (isRefusal(error) || mayPass(error, this.#answered)) return { left: [...part], error }
      throw error
    }
    let error: CoordinatorError | undefined
    const left = part.filter(({ item }, index) => {
      const given = results[index]
      const result = given instanceof CoordinatorError ? this.#judge(item, given) : readResult(item, given)
      if (result instanceof CoordinatorError) error = result
      else verdicts.set(item, result)
      return result instanceof CoordinatorError
    })
    return { left, error }
  }

  async #post(part: readonly Sent[]): Promise<readonly unknown[]> {
    const body = `[${part.map(({ text }) => text).join(',')}]`
    const { client, cut } = this.#options
    const answer = await client.post('/register/batch', body, { timeoutMs: 60_000, signal: cut })
    const results = (answer.body as { results?: unknown } | null)?.results
    if (Array.isArray(results) && results.length === part.length) {
      this.#answered = true
      return results
    }
    throw notCoordinator(client.baseUrl, answer.status)
  }

  /** Sends assertions at the same time. @returns an answer or an error for each */
  async #put(part: readonly Sent[]): Promise<readonly unknown[]> {
    const { client, cut } = this.#options
    const sent = part.map(async ({ item: { about }, text }) => {
      const path = `/knowledge-graph/${about?.kind}s/${encodeURIComponent(about?.id ?? '')}`
      const { status, body } = await client.put(path, text, { timeoutMs: 60_000, signal: cut })
      if (!isJsonObject(body)) throw notCoordinator(client.baseUrl, status)
      this.#answered = true
      return body
    })
    const settled = await Promise.allSettled(sent)
    return settled.map((result) => (result.status === 'fulfilled' ? result.value : result.reason))
  }

  /** What the error of a single assertion means. @throws an error that every other assertion gets, too */
  #judge(item: Item, error: CoordinatorError): Verdict | CoordinatorError {
    if (isRefusal(error)) return refused(item, error)
    if (mayPass(error, this.#answered)) return error
    throw error
  }

  async #wait(error: CoordinatorError, patience: Patience): Promise<void> {
    this.#answered ||= error.code !== 'COORD_CLI_UNREACHABLE'
    const waitMs = Math.max(patience.nextBackoffMs(), (error.retryAfterSeconds ?? 0) * 1_000)
    if (patience.leftMs < waitMs) throw error
    this.#options.onRetry?.(error, waitMs)
    const { interrupted } = this.#options
    await pause(waitMs, undefined, interrupted === undefined ? {} : { signal: interrupted }).catch(
      (thrown) => {
        interrupted?.throwIfAborted()
        throw thrown
      },
    )
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

function refused(item: Item, error: CoordinatorError): Verdict {
  return { item, outcome: 'failed', code: codeOf(error), reason: reasonOf(error.detail, error.errors) }
}

/** Whether the request itself is wrong, so that waiting or another address would not help. */
function isRefusal({ extra, retryable }: CoordinatorError): boolean {
  return !retryable && [400, 409, 413, 422, 431].includes(extra['status'] as number)
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
  const warnings = membersOf(rest['warnings']).map(({ code, message, path }) => ({
    code: String(code),
    message: String(message),
    ...(typeof path === 'string' ? { path } : {}),
  }))
  return { item, outcome, id: String(rest['serviceId'] ?? rest['id']), warnings }
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
