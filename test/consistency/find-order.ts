import { nothingYet, type RecordState, stateText, step } from './record-model.ts'
import type { RecordedCall } from './recorded-call.ts'

/** States that a search may look at before it gives up. */
const BUDGET = 2_000_000

/**
 * Looks for an order of the calls on one record in which each of them happens at one moment between its start and its end, and
 * has the outcome that it had (Wing and Gong, with what was tried remembered, as Lowe proposes). Returns what is wrong where
 * there is none. A call whose outcome is unknown may have happened at any time after its start, or not at all.
 */
export function findOrder(calls: readonly RecordedCall[]): string | undefined {
  const known = calls.filter(({ outcome }) => outcome.is !== 'unknown').sort((a, b) => a.start - b.start)
  const unknown = calls.filter(({ outcome }) => outcome.is === 'unknown')
  return new Search([...known, ...unknown], known.length).run()
}

class Search {
  readonly #calls: readonly RecordedCall[]
  readonly #knownCount: number
  readonly #placed: boolean[]
  readonly #tried = new Set<string>()
  /** The longest order that was found, for the explanation. */
  #best: { readonly order: readonly RecordedCall[]; readonly state: RecordState } = {
    order: [],
    state: nothingYet,
  }
  #left = BUDGET

  constructor(calls: readonly RecordedCall[], knownCount: number) {
    this.#calls = calls
    this.#knownCount = knownCount
    this.#placed = calls.map(() => false)
  }

  run(): string | undefined {
    return this.#place(nothingYet, [], 0) ? undefined : this.#explain()
  }

  #place(state: RecordState, order: RecordedCall[], knownPlaced: number): boolean {
    if (knownPlaced === this.#knownCount) return true
    if (this.#isTried(state)) return false
    this.#left -= 1
    if (this.#left < 0) throw new Error(`No verdict on ${this.#calls[0]?.key} after ${BUDGET} states.`)
    if (order.length > this.#best.order.length) this.#best = { order: [...order], state }
    for (const index of this.#candidates()) {
      const call = this.#calls[index] as RecordedCall
      const next = step(state, call)
      if (next === undefined) continue
      this.#placed[index] = true
      order.push(call)
      if (this.#place(next, order, knownPlaced + (index < this.#knownCount ? 1 : 0))) return true
      order.pop()
      this.#placed[index] = false
    }
    return false
  }

  /** Calls that may come next: nothing else ended before they began. Those of unknown outcome last. */
  #candidates(): readonly number[] {
    let firstEnd = Number.POSITIVE_INFINITY
    for (let index = 0; index < this.#knownCount; index += 1) {
      const { start, end } = this.#calls[index] as RecordedCall
      if (start > firstEnd) break
      if (!this.#placed[index]) firstEnd = Math.min(firstEnd, end)
    }
    const found: number[] = []
    for (let index = 0; index < this.#calls.length; index += 1) {
      const isLater = (this.#calls[index] as RecordedCall).start > firstEnd
      if (isLater && index < this.#knownCount) index = this.#knownCount - 1
      else if (!isLater && !this.#placed[index]) found.push(index)
    }
    return found
  }

  #isTried(state: RecordState): boolean {
    const first = this.#placed.indexOf(false)
    let text = `${first}`
    for (let index = first + 1; index < this.#placed.length; index += 1)
      if (this.#placed[index]) text += ` ${index}`
    text += `|${stateText(state)}`
    if (this.#tried.has(text)) return true
    this.#tried.add(text)
    return false
  }

  #explain(): string {
    const { order, state } = this.#best
    const rest = this.#calls.filter((call) => !order.includes(call)).slice(0, 6)
    return [
      `No order of the ${this.#calls.length} calls on ${this.#calls[0]?.key} explains their outcomes.`,
      `After ${order.length} of them the record is ${stateText(state)}.`,
      ...order.slice(-4).map((call) => `  before: ${callText(call)}`),
      ...rest.map((call) => `  cannot follow: ${callText(call)}`),
    ].join('\n')
  }
}

export function callText({ wish, condition, outcome, start, end, note }: RecordedCall): string {
  return `${start}-${end} ${note}: ${JSON.stringify(wish)} if ${JSON.stringify(condition)} -> ${JSON.stringify(outcome)}`
}
