import { CoordinatorError, type ErrorOptions } from '../../errors.ts'
import { quoted } from '../../text/quoted.ts'

/**
 * The error of a file that cannot be used.
 *
 * @param what a sentence without content of the file
 * @param line its number in the unpacked text, from 1 on. @default the fault is not in one line
 */
export function damaged(name: string, what: string, line?: number): CoordinatorError {
  const place = line === undefined ? quoted(name) : `${quoted(name)}, line ${line}`
  return new CoordinatorError('COORD_ARCHIVE_DAMAGED', {
    detail: `${place}: ${what}`,
    extra: { file: name, ...(line === undefined ? {} : { line }) },
  })
}

/** The error of a file that a newer program wrote. */
export function writtenByNewer(name: string, program: string): CoordinatorError {
  const options: ErrorOptions = {
    detail: `${quoted(name)}: coordinator ${quoted(program, 64)} wrote it, in a format that this program does not know.`,
    hint: 'Upgrade the coordinator to at least the version that `detail` names. The archive stays as it is.',
    extra: { file: name },
  }
  return new CoordinatorError('COORD_ARCHIVE_DAMAGED', options)
}
