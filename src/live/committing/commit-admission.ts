import { CoordinatorError } from '../../errors.ts'
import type { Commit } from '../../records/record.ts'
import { mebibytes } from '../memory/memory-faults.ts'
import type { LiveContext } from '../view/live-context.ts'
import type { ServedView } from '../view/served-view.ts'

/** Memory of a commit in progress, in bytes: its text, the parsed record, and the request to the database. */
const [bytesPerUnit, bytesPerWrite] = [3, 2_048]

/** The size of a commit. */
export interface CommitWeight {
  /** The size of the `data` in the commit, in UTF-16 code units. */
  readonly size: number
  /** The memory that it takes while it is in progress. */
  readonly bytes: number
}

export function weigh({ writes }: Commit): CommitWeight {
  let size = 0
  for (const write of writes) if (write.op === 'put') size += write.data.length
  return { size, bytes: size * bytesPerUnit + writes.length * bytesPerWrite }
}

/**
 * Accepts commits as long as there is memory for them, and holds that memory for each until it is released. Every commit passes this check
 * before it waits for anything.
 */
export class CommitAdmission {
  readonly #context: LiveContext
  readonly #served: ServedView

  constructor(context: LiveContext, served: ServedView) {
    this.#context = context
    this.#served = served
  }

  /** Holds the memory of a commit, if it is known that there is room for it. */
  hold({ bytes }: CommitWeight): boolean {
    const { memory } = this.#context
    if (memory.state !== 'free' || !memory.hasRoom(bytes, 'full')) return false
    memory.hold(bytes)
    return true
  }

  /** Holds the memory of a commit after a closer look. @throws COORD_MEMORY_FULL with `not_written` */
  async claim(commit: Commit, { bytes }: CommitWeight): Promise<void> {
    const { observers } = this.#context
    const refused = this.#needsMemory(commit) ? await this.#claimRoom(bytes) : this.#holdWithoutNeed(bytes)
    if (refused === undefined) return
    observers.tell('memoryRefused')
    throw refused
  }

  /** Services that restart register the same content again. That takes no memory, and neither does a deletion. */
  #needsMemory({ writes }: Commit): boolean {
    const view = this.#served.current
    return writes.some((write) => write.op === 'put' && view?.get(write.kind, write.id)?.data !== write.data)
  }

  async #claimRoom(bytes: number): Promise<CoordinatorError | undefined> {
    const { memory } = this.#context
    if (memory.state === 'free' && (await memory.claimRoom(bytes, 'full'))) return undefined
    return memory.state === 'free'
      ? refusal('The writes that are in progress use the memory that is left.', 1)
      : refusal(
          `${mebibytes(memory.usedBytes)} of ${mebibytes(memory.limitBytes)} MiB of the heap are in use.`,
        )
  }

  #holdWithoutNeed(bytes: number): CoordinatorError | undefined {
    const { memory } = this.#context
    // The view shows a commit only after it has taken all earlier ones.
    if (memory.state === 'exhausted' && this.#served.head > (this.#served.current?.revision ?? 0))
      return refusal(
        'Newer changes of other coordinators do not fit into memory, so that this one cannot accept writes.',
      )
    memory.hold(bytes)
    return undefined
  }
}

function refusal(detail: string, retryAfterSeconds = 30): CoordinatorError {
  return new CoordinatorError('COORD_MEMORY_FULL', { detail, retryAfterSeconds, outcome: 'not_written' })
}
