import { CoordinatorError, type Problem } from '../../errors.ts'

/** The error for wrong parameters of a request. @param problems with names of parameters as paths */
export function invalidQuery(problems: readonly Problem[]): CoordinatorError {
  const [first] = problems
  const sentence = `The parameter ${first?.path} ${first?.message}`
  return new CoordinatorError('COORD_QUERY_INVALID', {
    detail: sentence.endsWith('?') ? sentence : `${sentence}.`,
    errors: problems.map(({ path, message }) => ({
      path: `query.${path}`,
      message,
      code: 'COORD_QUERY_INVALID',
    })),
    outcome: 'not_written',
  })
}
