import { toCoordinatorError } from '../errors.ts'
import type { Live } from '../live/live.ts'
import { SharedWork } from '../live/questions/shared-work.ts'
import { currentQuestion } from '../scheduling/client-question.ts'
import { graphProjection } from './derive/graph-projection.ts'
import { type RebuildAnswer, rebuild } from './derive/rebuild.ts'
import { questionTooLarge } from './past/question-too-large.ts'

/** The approximate size of a node or an edge in a second graph, in bytes. */
const REBUILD_BYTES = 400

/**
 * Derives the graph again and compares it with the live one. That takes a second graph in memory, so only one comparison runs at a time.
 * All callers during a comparison share the next one.
 */
export class Rebuilds {
  readonly #live: Live
  #now: SharedWork<RebuildAnswer> | undefined
  #next: SharedWork<RebuildAnswer> | undefined
  #lastDifferences = 0

  constructor(live: Live) {
    this.#live = live
  }

  /** How many differences the last comparison found. */
  get lastDifferences(): number {
    return this.#lastDifferences
  }

  run(): Promise<RebuildAnswer> {
    if (this.#now === undefined) {
      this.#now = this.#start()
      return this.#now.join()
    }
    if (this.#next === undefined || this.#next.isAbandoned) this.#next = this.#start(this.#now)
    return this.#next.join()
  }

  /** @param before the comparison that has to end first */
  #start(before?: SharedWork<RebuildAnswer>): SharedWork<RebuildAnswer> {
    const work: SharedWork<RebuildAnswer> = new SharedWork('rebuild', async () => {
      try {
        if (before !== undefined) {
          await before.result.catch(() => undefined)
          currentQuestion()?.look()
          this.#now = work
        }
        return await this.#rebuild()
      } catch (thrown) {
        throw toCoordinatorError(thrown)
      } finally {
        if (this.#next === work) this.#next = undefined
        if (this.#now === work) this.#now = undefined
      }
    })
    return work
  }

  async #rebuild(): Promise<RebuildAnswer> {
    const { view, memory } = this.#live
    const { edges, nodeCount } = view.projection(graphProjection)
    const bytes = (edges.count + nodeCount) * REBUILD_BYTES
    if (!(await memory.findRoom(bytes, 'full')))
      throw questionTooLarge('There is no memory for a second graph beside the live one.')
    const answer = await memory.holding(bytes, () => rebuild(view))
    this.#lastDifferences = answer.differencesTotal
    return answer
  }
}
