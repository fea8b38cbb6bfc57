import type { View } from '../../live/view/view.ts'
import { Pace } from '../../scheduling/pace.ts'
import { type ServiceIndex, serviceIndex } from '../index/service-index.ts'
import type { ServiceFilters } from './list-query.ts'
import { listedTerms } from './match-services.ts'
import { wordTest } from './text-words.ts'

const [HAS, HAS_NOT] = [1, 2] as const

/** Which services have the words of a search, as far as they were judged. */
export class WordVerdicts {
  readonly #index: ServiceIndex
  readonly #revision: number
  readonly #marks: Uint8Array

  /** @param revision what was stored later is not judged, even if it has the number of a record that was */
  constructor(index: ServiceIndex, revision: number) {
    this.#index = index
    this.#revision = revision
    this.#marks = new Uint8Array(index.numberEnd)
  }

  set(number: number, verdict: boolean): void {
    this.#marks[number] = verdict ? HAS : HAS_NOT
  }

  /** @returns `undefined` if this service was not judged */
  of(index: ServiceIndex, number: number): boolean | undefined {
    // After a reload there is another index, with other numbers.
    if (index !== this.#index || index.record(number).revision > this.#revision) return undefined
    const mark = this.#marks[number]
    return mark === undefined || mark === 0 ? undefined : mark === HAS
  }
}

/**
 * Looks for the words of a list into its services beforehand, in several turns. Reading the texts of a million services would otherwise
 * block all other requests.
 *
 * @returns `undefined` if the list has no words
 */
export async function judgeWords(view: View, filters: ServiceFilters): Promise<WordVerdicts | undefined> {
  const { words } = filters
  if (words === undefined) return undefined
  const index = view.projection(serviceIndex)
  const verdicts = new WordVerdicts(index, view.revision)
  const { inText } = wordTest(words)
  const pace = new Pace()
  for (const number of numbersToJudge(index, filters)) {
    if (pace.due) await pace.turn()
    // It may be gone since the last turn.
    if (index.holds(number)) verdicts.set(number, inText(index.record(number).data))
  }
  return verdicts
}

/** The services that fulfill another filter, or all if there is none. */
function numbersToJudge(index: ServiceIndex, filters: ServiceFilters): Iterable<number> {
  const [fewest] = listedTerms(index, filters).sort((left, right) => left.size - right.size)
  // A copy, because the list changes with later commits.
  if (fewest !== undefined) return fewest.chunks.flatMap((numbers) => [...numbers])
  return Array(index.numberEnd).keys()
}
