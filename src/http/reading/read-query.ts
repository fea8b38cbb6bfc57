import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CoordinatorError, type Problem } from '../../errors.ts'
import { invalidQuery } from '../../records/invalid-query.ts'
import { LIMITS } from '../../records/limits.ts'
import { closestWord } from '../../text/closest-word.ts'

/** Values of a query string: repeated parameters are arrays. */
export type QueryValues = Readonly<Record<string, string | readonly string[] | undefined>>

export const revisionText = z
  .string()
  .regex(/^\d+$/, 'must be a whole number')
  .transform(Number)
  .refine(Number.isSafeInteger, 'is larger than any revision')
  .meta({ type: 'integer', minimum: 0 })

/**
 * Reads the query string by a schema. Parameters that the schema does not have are refused: a misspelt `minRevision` that
 * was ignored would be answered with something older than was asked for.
 *
 * @throws COORD_QUERY_INVALID with every problem, COORD_URL_MALFORMED where it cannot be decoded
 */
export function readQuery<S extends z.ZodObject>(request: FastifyRequest, schema: S): z.output<S> {
  return parse(request, schema.strict()) as z.output<S>
}

/** The same for parameters that are some among others, which somebody else reads. */
export function readQueryPart<S extends z.ZodObject>(request: FastifyRequest, schema: S): z.output<S> {
  return parse(request, schema) as z.output<S>
}

function parse<S extends z.ZodObject>(request: FastifyRequest, schema: S): z.output<S> {
  checkEncoding(request)
  const query = request.query as QueryValues
  const result = schema.safeParse(query)
  if (result.success) return result.data
  throw invalidQuery(
    result.error.issues
      .slice(0, LIMITS.problems)
      .flatMap((issue) => problemsOf(issue, query, Object.keys(schema.shape))),
  )
}

/** The framework takes what it cannot decode as it stands: a filter for such a text would find nothing, and not say why. */
function checkEncoding({ raw: { url = '' } }: FastifyRequest): void {
  const start = url.indexOf('?')
  if (start === -1 || !url.includes('%', start)) return
  try {
    decodeURIComponent(url.slice(start))
  } catch (cause) {
    throw new CoordinatorError('COORD_URL_MALFORMED', {
      detail: 'The query string has a malformed percent-encoding.',
      outcome: 'not_written',
      cause,
    })
  }
}

function problemsOf(issue: z.core.$ZodIssue, query: QueryValues, known: readonly string[]): Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, LIMITS.problems).map((key) => unknownParameter(key, known))
  const name = issue.path.join('.')
  return [{ path: `query.${name}`, message: messageOf(issue, query[name]) }]
}

function unknownParameter(key: string, known: readonly string[]): Problem {
  const meant = closestWord(key, known)
  return {
    path: `query.${key.slice(0, 64).toWellFormed()}`,
    message: `is not known here${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  }
}

function messageOf(issue: z.core.$ZodIssue, given: QueryValues[string]): string {
  if (given === undefined) return 'is required'
  if (issue.code === 'custom') return issue.message
  if (Array.isArray(given)) return 'must come only once'
  if (issue.code === 'too_small') return 'is empty'
  return issue.code === 'invalid_value'
    ? `must be one of ${issue.values.map(String).join(', ')}`
    : issue.message
}
