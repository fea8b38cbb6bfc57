import type { FastifyReply, FastifyRequest } from 'fastify'
import { denialReasonOf } from '../../access/denial.ts'
import type { CoordinatorError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logging.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { clientOf } from '../../text/client-of.ts'
import { addressOf } from '../client/address-of.ts'

/** How long further denials of a client are only counted, in milliseconds. */
const quietMs = 60_000
/** How many clients may have a line in the log in that time, and another one for a missing credential. Somebody with many addresses must not fill a disk. */
const clientsMax = 100

interface Denied {
  readonly until: number
  /** How many denials were not logged. */
  unlogged: number
}

/**
 * Counts the requests that were denied, and logs one of them a minute for each client. Requests without a credential have a line of
 * their own, because they are usual, and must not hide bad credentials. The credential appears nowhere.
 */
export class Denials {
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #now: () => number
  /** The client that was logged first comes first. */
  readonly #refused = new Map<string, Denied>()
  /** The same for requests without a credential. */
  readonly #asked = new Map<string, Denied>()

  constructor(
    { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
    now: () => number = () => performance.now(),
  ) {
    this.#metrics = metrics
    this.#log = log
    this.#now = now
  }

  /** Notes the error of an answer, if it denies the request. */
  note(request: FastifyRequest, reply: Pick<FastifyReply, 'route'>, error: CoordinatorError): void {
    const reason = denialReasonOf(error)
    if (reason === undefined) return
    this.#metrics.access.denied(reason)
    const address = addressOf(request)
    const isMissing = reason === 'missing'
    const unlogged = this.#mayLog(clientOf(address), isMissing ? this.#asked : this.#refused)
    if (unlogged === undefined) return
    const { method, id: requestId, principal } = request
    const facts = { requestId, address, actor: principal?.actor, method, route: reply.route?.pattern }
    // Somebody who does not know yet that a credential is needed is no reason to worry.
    const level = isMissing ? 'info' : 'warn'
    this.#log[level]({ ...facts, reason, code: error.code, unlogged }, 'a request was denied')
  }

  /** @returns how many such denials of this client were not logged since the last line, or `undefined` if this one is not logged either */
  #mayLog(client: string, clients: Map<string, Denied>): number | undefined {
    const now = this.#now()
    const known = clients.get(client)
    if (known !== undefined && now < known.until) {
      known.unlogged += 1
      return undefined
    }
    if (known === undefined) forget(clients, now)
    if (known === undefined && clients.size >= clientsMax) return undefined
    clients.delete(client)
    clients.set(client, { until: now + quietMs, unlogged: 0 })
    return known?.unlogged ?? 0
  }
}

/** The first clients are those whose time is over. */
function forget(clients: Map<string, Denied>, now: number): void {
  for (const [client, { until }] of clients) {
    if (until > now) return
    clients.delete(client)
  }
}
