import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-table.ts'

/** Says on stderr, in one line, what went wrong and what to do. */
export function reportError(thrown: unknown, { env, stderr }: Pick<Terminal, 'env' | 'stderr'>): void {
  const error = toCoordinatorError(thrown)
  const { extra } = error
  const code = typeof extra['code'] === 'string' ? extra['code'] : error.code
  stderr.write(`coordinator: ${printable(`${sentence(error.detail)} ${error.hint}`)} [${printable(code)}]\n`)
  // A fault of the program itself: whoever reports it needs to say where.
  const cause = thrown instanceof CoordinatorError ? thrown.cause : thrown
  if (error.code === 'COORD_INTERNAL' && cause instanceof Error && env['DEBUG'] !== undefined)
    stderr.write(`${cause.stack ?? cause.message}\n`)
}

function sentence(text: string): string {
  return /[.!?)]$/.test(text) ? text : `${text}.`
}
