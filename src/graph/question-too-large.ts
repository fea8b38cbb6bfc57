import { CoordinatorError } from '../errors.ts'

/** What one question needs is more than there is: waiting does not help, asking for less may. */
const code = 'COORD_QUESTION_TOO_LARGE'

export function questionTooLarge(detail: string): CoordinatorError {
  return new CoordinatorError(code, {
    detail,
    hint: 'Ask about less: a part of the graph, or moments that are less far apart. Those who run the coordinator raise its heap: the process that works on graphs gets half as much.',
    extra: { tooLarge: true },
  })
}

export function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof CoordinatorError && thrown.extra['tooLarge'] === true
}
