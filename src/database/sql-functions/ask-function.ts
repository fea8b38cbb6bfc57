import { CoordinatorError } from '../../errors.ts'
import type { PoolFigures } from '../store.ts'
import { notEmpty, wrongMode } from '../store-modes.ts'
import { modeOf, type Reply, readReply } from './read-reply.ts'
import type { SqlFunction, SqlFunctions } from './sql-functions.ts'

/**
 * Calls a function and reads its reply.
 *
 * @param argument JSON text
 * @param role the kind of connection: the coordinator's own work never waits behind questions about the past. @default 'follower'
 */
export type AskFunction = <T>(
  name: SqlFunction,
  argument: string,
  read: (reply: Reply) => T,
  role?: keyof PoolFigures,
) => Promise<T>

export function asking(functions: SqlFunctions): AskFunction {
  return async (name, argument, read, role = 'follower') => {
    const reply = await functions.call(name, argument, role)
    const readAnswer = (answer: Reply) => {
      throwRefusal(answer)
      return read(answer)
    }
    return readReply(reply, readAnswer, role === 'writer' ? 'unknown' : undefined)
  }
}

/** Refusals that any writing function may return instead of its result. */
function throwRefusal(reply: Reply): void {
  if (reply['status'] === 'too_old')
    throw new CoordinatorError('COORD_SCHEMA_NEWER', {
      detail: `The schema has number ${String(reply['schema'])} and is written only by programs from number ${String(reply['oldest'])} on.`,
      outcome: 'not_written',
    })
  if (reply['status'] === 'mode') throw wrongMode(modeOf(reply))
  if (reply['status'] === 'not_empty') throw notEmpty()
  if (reply['status'] === 'busy') throw new CoordinatorError('COORD_STORE_BUSY', { outcome: 'not_written' })
}
