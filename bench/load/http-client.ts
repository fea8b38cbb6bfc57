import { connect, type Socket } from 'node:net'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** What one round of load is to do. */
export interface LoadPlan {
  readonly port: number
  readonly connections: number
  readonly durationMs: number
  /** Requests that are not measured, before the round. @default 0 (milliseconds) */
  readonly warmupMs?: number
  /** The bytes of the next request, head and body. Called once for each request. */
  readonly next: () => string
}

export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers that were not 2xx, by status; any makes a round worthless. */
  readonly failures: Readonly<Record<string, number>>
}

/**
 * A plain HTTP/1.1 client over sockets: keep-alive, one request under way on each connection. A general client costs more
 * per request than the servers that are measured here, and would make all of them look alike.
 */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const round = new Round(plan)
  await Promise.all(Array.from({ length: plan.connections }, () => round.drive()))
  return round.result()
}

class Round {
  readonly #plan: LoadPlan
  readonly #latency: RecordableHistogram = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 })
  readonly #failures: Record<string, number> = {}
  readonly #measureFrom: number
  readonly #end: number
  #requests = 0

  constructor(plan: LoadPlan) {
    this.#plan = plan
    this.#measureFrom = performance.now() + (plan.warmupMs ?? 0)
    this.#end = this.#measureFrom + plan.durationMs
  }

  result(): LoadResult {
    return {
      requests: this.#requests,
      perSecond: (this.#requests / this.#plan.durationMs) * 1_000,
      p50Ms: this.#latency.percentile(50) / 1_000,
      p99Ms: this.#latency.percentile(99) / 1_000,
      failures: this.#failures,
    }
  }

  /** Sends requests on one connection, one after another, until the time is over. */
  drive(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#plan.port, '127.0.0.1')
      const answers = new AnswerReader((status) => {
        this.#count(status, performance.now() - started)
        send()
      })
      let started = 0
      const send = () => {
        started = performance.now()
        if (started >= this.#end) return finish(socket, resolve)
        socket.write(this.#plan.next(), 'latin1')
      }
      socket.setNoDelay(true)
      socket.on('connect', send)
      socket.on('data', (chunk) => answers.take(chunk))
      socket.on('error', reject)
      socket.on('close', () =>
        performance.now() >= this.#end ? resolve() : reject(new Error('The server closed a connection.')),
      )
    })
  }

  #count(status: string, durationMs: number): void {
    const now = performance.now()
    if (now < this.#measureFrom || now > this.#end) return
    if (!status.startsWith('2')) this.#failures[status] = (this.#failures[status] ?? 0) + 1
    this.#requests += 1
    this.#latency.record(Math.max(1, Math.round(durationMs * 1_000)))
  }
}

function finish(socket: Socket, resolve: () => void): void {
  socket.removeAllListeners()
  socket.on('error', resolve)
  socket.destroy()
  resolve()
}

const headEnd = '\r\n\r\n'

/** Finds the end of each answer by its Content-Length, or by the last chunk. */
class AnswerReader {
  readonly #answered: (status: string) => void
  #text = ''

  constructor(answered: (status: string) => void) {
    this.#answered = answered
  }

  take(chunk: Buffer): void {
    this.#text = this.#text === '' ? chunk.toString('latin1') : this.#text + chunk.toString('latin1')
    const head = this.#text.indexOf(headEnd)
    if (head === -1) return
    const length = lengthOf(this.#text, head)
    const complete =
      length === undefined
        ? this.#text.endsWith('0\r\n\r\n')
        : this.#text.length >= head + headEnd.length + length
    if (!complete) return
    const status = this.#text.slice(9, 12)
    this.#text = ''
    this.#answered(status)
  }
}

function lengthOf(text: string, head: number): number | undefined {
  const match = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))
  return match === null ? undefined : Number(match[1])
}
