import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { kindOf } from '../../telemetry/describe-error.ts'
import { createScrubber } from '../../telemetry/scrub.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-table.ts'

/** Prints on stderr, in one line, what went wrong and what to do. */
export function reportError(thrown: unknown, { stderr }: Pick<Terminal, 'stderr'>): void {
  const error = toCoordinatorError(thrown)
  const { extra } = error
  // `hint` helps clients of a running coordinator. `repair` helps if this program itself met the error.
  const answered = typeof extra['code'] === 'string'
  const [code, next] = answered ? [String(extra['code']), error.hint] : [error.code, error.repair]
  stderr.write(`coordinator: ${printable(`${sentence(error.detail)} ${next}`)} [${printable(code)}]\n`)
  if (error.code !== 'COORD_INTERNAL') return
  // A fault of the program itself: a report of it needs the stack.
  const cause = thrown instanceof CoordinatorError ? (thrown.cause ?? thrown) : thrown
  stderr.write(
    `${createScrubber()(cause instanceof Error ? (cause.stack ?? cause.message) : kindOf(cause))}\n`,
  )
}

function sentence(text: string): string {
  return /[.!?)]$/.test(text) ? text : `${text}.`
}
