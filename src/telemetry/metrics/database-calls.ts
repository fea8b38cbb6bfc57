import { CoordinatorError } from '../../errors.ts'

/** How long the newest calls of one operation took. */
export interface LatencySummary {
  /** Calls since the start. */
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** A call to the database that failed. */
export interface FailedCall {
  /** Epoch milliseconds. */
  readonly at: number
  readonly operation: string
  readonly code: string
  /** The code of the driver itself. */
  readonly sourceCode?: string
  readonly detail: string
}

/** How many durations of an operation are kept. */
const durationsKept = 1_024
const failuresKept = 20

class Durations {
  readonly #ring = new Float64Array(durationsKept)
  #count = 0

  add(ms: number): void {
    this.#ring[this.#count % durationsKept] = ms
    this.#count += 1
  }

  summary(): LatencySummary {
    const sorted = this.#ring.slice(0, Math.min(this.#count, durationsKept)).sort()
    const at = (share: number) =>
      Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 1_000) / 1_000
    return { count: this.#count, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
  }
}

/** Remembers the newest calls to the database, for `GET /database`. */
export class DatabaseCalls {
  readonly #durations = new Map<string, Durations>()
  readonly #failures: FailedCall[] = []

  /** @param thrown what a failed call threw */
  add(operation: string, durationMs: number, thrown?: { readonly error: unknown }): void {
    let durations = this.#durations.get(operation)
    if (durations === undefined) {
      durations = new Durations()
      this.#durations.set(operation, durations)
    }
    durations.add(durationMs)
    if (thrown === undefined) return
    this.#failures.unshift(failedCall(operation, thrown.error))
    this.#failures.length = Math.min(this.#failures.length, failuresKept)
  }

  /** Latencies of the last 1,024 calls of each operation. */
  get latency(): Readonly<Record<string, LatencySummary>> {
    return Object.fromEntries([...this.#durations].map(([name, durations]) => [name, durations.summary()]))
  }

  /** Newest first; at most 20. */
  get lastFailures(): readonly FailedCall[] {
    return [...this.#failures]
  }
}

function failedCall(operation: string, error: unknown): FailedCall {
  const at = Date.now()
  // The text of an error that no driver translated may hold anything, such as a connection URL.
  if (!(error instanceof CoordinatorError))
    return { at, operation, code: 'COORD_STORE_FAULT', detail: 'An unforeseen error; the log has it.' }
  const { code, detail, sourceCode } = error
  return { at, operation, code, detail, ...(sourceCode === undefined ? {} : { sourceCode }) }
}
