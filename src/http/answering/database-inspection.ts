import type { Inspection, Inspector } from '../../database/store.ts'
import { toCoordinatorError } from '../../errors.ts'
import { within } from '../../scheduling/backoff.ts'

export interface ServerFacts {
  readonly known?: Inspection & { /** Epoch milliseconds. */ readonly inspectedAt: number }
  /** The reason why nothing newer is known. */
  readonly unknown?: string
}

export interface InspectionTimes {
  /** How long an answer is reused. @default 10_000 (milliseconds) */
  readonly freshMs?: number
  /** How long a caller may wait for a question. @default 1_000 (milliseconds) */
  readonly patienceMs?: number
}

/** Asks the server of a store about itself: seldom, one question at a time, and without waiting long. */
export class DatabaseInspection {
  readonly #inspector: Inspector | undefined
  readonly #freshMs: number
  readonly #patienceMs: number
  #facts: ServerFacts = {}
  #asking: Promise<void> | undefined

  constructor(
    inspector: Inspector | undefined,
    { freshMs = 10_000, patienceMs = 1_000 }: InspectionTimes = {},
  ) {
    this.#inspector = inspector
    this.#freshMs = freshMs
    this.#patienceMs = patienceMs
  }

  async latest(): Promise<ServerFacts> {
    const inspector = this.#inspector
    if (inspector === undefined) return {}
    const { known } = this.#facts
    if (
      known !== undefined &&
      this.#facts.unknown === undefined &&
      Date.now() - known.inspectedAt < this.#freshMs
    )
      return this.#facts
    this.#asking ??= this.#ask(inspector).finally(() => {
      this.#asking = undefined
    })
    if (await within(this.#patienceMs, this.#asking)) return this.#facts
    return { ...this.#facts, unknown: `The database did not answer within ${this.#patienceMs} ms.` }
  }

  async #ask(inspector: Inspector): Promise<void> {
    try {
      this.#facts = { known: { ...(await inspector.inspect()), inspectedAt: Date.now() } }
    } catch (thrown) {
      this.#facts = { ...this.#facts, unknown: toCoordinatorError(thrown, 'COORD_STORE_FAULT').detail }
    }
  }
}
