import { CoordinatorError } from '../errors.ts'
import type { Commit } from '../records/record.ts'
import type { CommitReply, CommitResult } from './store.ts'

/**
 * Sends commits that a database judges together. Throws `COORD_COMMIT_REFUSED` where it refuses all because of one.
 *
 * @param part counts up from 0 with each call: the parts of a batch are one attempt of their writer
 */
export type SendBatch = (batch: readonly Commit[], part: number) => Promise<CommitReply>

/**
 * Sends a batch. Where the database refuses it for its content, it is halved until the culprit is alone, and only that one
 * is refused. The halves go one after the other, so the order of revisions stays that of the batch.
 */
export function halveBatch(batch: readonly Commit[], send: SendBatch): Promise<CommitReply> {
  let part = 0
  return halve(batch, (some) => send(some, part++))
}

type SendPart = (batch: readonly Commit[]) => Promise<CommitReply>

async function halve(batch: readonly Commit[], send: SendPart): Promise<CommitReply> {
  try {
    return await send(batch)
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown
    if (batch.length === 0) throw thrown
    if (batch.length === 1) return withResults(await send([]), [{ outcome: 'refused', error: thrown }])
  }
  const middle = Math.ceil(batch.length / 2)
  const first = await halve(batch.slice(0, middle), send)
  if (first.status !== 'ok') return first
  try {
    const second = await halve(batch.slice(middle), send)
    // Both ask for the journal after the same position, so the later answer has all that the earlier one has.
    if (second.status === 'ok') return withResults(second, [...first.results, ...second.results])
    if (!first.results.some(({ outcome }) => outcome === 'accepted')) return second
    throw new CoordinatorError('COORD_STORE_BUSY', {
      detail: 'The history changed between two halves of a batch.',
    })
  } catch (thrown) {
    // Of the batch as a whole nobody can say any more that nothing was written.
    throw thrown instanceof CoordinatorError ? thrown.withOutcome('unknown') : thrown
  }
}

function withResults(reply: CommitReply, results: readonly CommitResult[]): CommitReply {
  return reply.status === 'ok' ? { ...reply, results } : reply
}

function isRefusal(thrown: unknown): thrown is CoordinatorError {
  return thrown instanceof CoordinatorError && thrown.code === 'COORD_COMMIT_REFUSED'
}
