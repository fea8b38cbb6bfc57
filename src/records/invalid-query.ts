import { CoordinatorError, type Problem } from '../errors.ts'

/** The error that reports what is wrong with the parameters of a request. @param problems with paths `query.<name>` */
export function invalidQuery(problems: readonly Problem[]): CoordinatorError {
  const [first] = problems
  const sentence = `The parameter ${first?.path.replace(/^query\./, '')} ${first?.message}`
  return new CoordinatorError('COORD_QUERY_INVALID', {
    detail: sentence.endsWith('?') ? sentence : `${sentence}.`,
    errors: problems,
    outcome: 'not_written',
  })
}
