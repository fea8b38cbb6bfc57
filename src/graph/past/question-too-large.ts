import { CoordinatorError } from '../../errors.ts'

/** For a question that needs more memory than there is. Waiting does not help, but asking for less may. */
const code = 'COORD_QUESTION_TOO_LARGE'

export function questionTooLarge(detail: string): CoordinatorError {
  return new CoordinatorError(code, {
    detail,
    hint: 'Ask for a part of the graph, or for moments that are closer together. Or give the coordinator a larger heap (NODE_OPTIONS=--max-old-space-size=MIB): the process that works on graphs gets half of it.',
    extra: { tooLarge: true },
  })
}

export function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof CoordinatorError && thrown.extra['tooLarge'] === true
}
