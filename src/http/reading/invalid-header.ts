import { CoordinatorError } from '../../errors.ts'

/** The error for a wrong header of a request. */
export function invalidHeader(name: string, message: string): CoordinatorError {
  return new CoordinatorError('COORD_HEADER_INVALID', {
    detail: `${name} ${message}.`,
    errors: [{ path: `header.${name.toLowerCase()}`, message, code: 'COORD_HEADER_INVALID' }],
    outcome: 'not_written',
  })
}
