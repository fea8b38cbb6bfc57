import { CoordinatorError } from '../../errors.ts'
import type { Commit, Revision, Write } from '../../records/record.ts'
import type { MemoryBudget } from '../memory/memory-budget.ts'
import { mebibytes } from '../memory/memory-faults.ts'
import type { View } from '../view/view.ts'

/** Memory of a write in progress, in bytes: its text, the parsed record, and the request to the database. */
const [bytesPerUnit, bytesPerWrite] = [3, 2_048]

/** What admission needs from the rest of the live layer. */
export interface AdmissionPort {
  view(): View | undefined
  /** The newest revision that any answer of the store has named. */
  knownHead(): Revision
  /** A commit was refused, because there is no memory for it. */
  refused(): void
}

/**
 * Accepts commits as long as there is memory for them. Every commit passes this check before it waits for anything.
 */
export class CommitAdmission {
  readonly #memory: MemoryBudget
  readonly #port: AdmissionPort

  constructor(memory: MemoryBudget, port: AdmissionPort) {
    this.#memory = memory
    this.#port = port
  }

  /**
   * Sends a commit if there is memory for it.
   *
   * @throws COORD_MEMORY_FULL with `not_written`, and what `send` throws
   */
  run<T>(commit: Commit, send: () => Promise<T>): Promise<T> {
    const bytes = bytesUnderWay(commit.writes)
    return this.#memory.state === 'free' && this.#memory.hasRoom(bytes, 'full')
      ? this.#memory.holding(bytes, send)
      : this.#runWhereRoom(commit, bytes, send)
  }

  async #runWhereRoom<T>(commit: Commit, bytes: number, send: () => Promise<T>): Promise<T> {
    const refusal = await this.#refusalOf(commit, bytes)
    if (refusal !== undefined) {
      this.#port.refused()
      throw refusal
    }
    return this.#memory.holding(bytes, send)
  }

  async #refusalOf({ writes }: Commit, bytes: number): Promise<CoordinatorError | undefined> {
    const memory = this.#memory
    const view = this.#port.view()
    const grows = writes.some((write) => write.op === 'put' && !isThere(write, view))
    if (!grows) {
      const isBehind = this.#port.knownHead() > (view?.revision ?? 0)
      // The view shows a commit only after it has taken all earlier ones.
      return memory.state === 'exhausted' && isBehind
        ? refusal(
            'Newer changes of other coordinators do not fit into memory, so that this one cannot accept writes.',
          )
        : undefined
    }
    if (memory.state === 'free' && (await memory.claimRoom(bytes, 'full'))) return undefined
    return memory.state === 'free'
      ? refusal('The writes that are in progress use the memory that is left.', 1)
      : refusal(
          `${mebibytes(memory.usedBytes)} of ${mebibytes(memory.limitBytes)} MiB of the heap are in use.`,
        )
  }
}

function refusal(detail: string, retryAfterSeconds = 30): CoordinatorError {
  return new CoordinatorError('COORD_MEMORY_FULL', { detail, retryAfterSeconds, outcome: 'not_written' })
}

/** Whether the record is stored already. Services that restart register the same again, and that takes no memory. */
function isThere({ kind, id, ...write }: Write, view: View | undefined): boolean {
  return 'data' in write && view?.get(kind, id)?.data === write.data
}

function bytesUnderWay(writes: readonly Write[]): number {
  let bytes = 0
  for (const write of writes)
    bytes += write.op === 'put' ? write.data.length * bytesPerUnit + bytesPerWrite : bytesPerWrite
  return bytes
}
