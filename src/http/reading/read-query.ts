import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CoordinatorError, type Problem } from '../../errors.ts'
import { LIMITS } from '../../records/limits.ts'
import { closestWord } from '../../text/closest-word.ts'
import { invalidQuery } from './invalid-query.ts'

/** Values of a query string: repeated parameters are arrays. */
export type QueryValues = Readonly<Record<string, string | readonly string[] | undefined>>

/** A parameter that stands for many: `metadata.KEY=VALUE`. A schema with this parameter gets pairs of key and value. */
const MEMBERS = 'metadata'

/** Reads query strings by a schema. */
export class QueryReader<S extends z.ZodObject> {
  readonly #schema: S
  /** The parameters of a request without a query string; `undefined` if a parameter is required. */
  readonly withoutQuery: z.output<S> | undefined

  constructor(schema: S) {
    this.#schema = schema
    this.withoutQuery = schema.safeParse({}).data as z.output<S> | undefined
  }

  /** @throws COORD_QUERY_INVALID with every problem, COORD_URL_MALFORMED if the query string cannot be decoded */
  read(request: FastifyRequest): z.output<S> {
    checkEncoding(request)
    return parseQuery(this.#schema, request.query as QueryValues)
  }
}

const noParameters = new QueryReader(z.object({}))

/** Refuses every parameter. @throws what `QueryReader.read` throws */
export function refuseQuery(request: FastifyRequest): void {
  noParameters.read(request)
}

/**
 * Reads the values of a query string by a schema. Parameters that are not in the schema are refused: if a misspelled `minRevision` were
 * ignored, the answer would be older than the client wants.
 *
 * @throws COORD_QUERY_INVALID with every problem
 */
export function parseQuery<S extends z.ZodObject>(schema: S, values: QueryValues): z.output<S> {
  const given = MEMBERS in schema.shape ? withMembers(values) : values
  const result = schema.strict().safeParse(given)
  if (result.success) return result.data as z.output<S>
  const known = Object.keys(schema.shape).map((name) => (name === MEMBERS ? `${MEMBERS}.<key>` : name))
  throw invalidQuery(
    result.error.issues.slice(0, LIMITS.problems).flatMap((issue) => problemsOf(issue, given, known)),
  )
}

function withMembers(values: QueryValues): Readonly<Record<string, unknown>> {
  const others: Record<string, unknown> = Object.create(null)
  const members: [key: string, value: unknown][] = []
  for (const [name, value] of Object.entries(values)) {
    const key = name.startsWith(`${MEMBERS}.`) ? name.slice(MEMBERS.length + 1) : ''
    if (key === '') others[name] = value
    else members.push([key, value])
  }
  if (members.length > 0) others[MEMBERS] ??= members
  return others
}

/** The framework leaves text that it cannot decode unchanged. A filter for such a text would find nothing, without saying why. */
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

function problemsOf(
  issue: z.core.$ZodIssue,
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
): Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, LIMITS.problems).map((key) => ({
      path: key.slice(0, 64).toWellFormed(),
      message: `is not known here${didYouMean(key, known)}`,
    }))
  const [name, at] = issue.path
  const value = given[String(name)]
  if (name === MEMBERS && Array.isArray(value))
    return [{ path: `${MEMBERS}.${value[Number(at)]?.[0]}`, message: messageOf(issue, '') }]
  return [{ path: String(name), message: messageOf(issue, value) }]
}

function messageOf(issue: z.core.$ZodIssue, given: unknown): string {
  if (given === undefined) return 'is required'
  if (issue.code === 'custom') return issue.message
  if (Array.isArray(given)) return 'must come only once'
  if (issue.code === 'too_small') return 'is empty'
  if (issue.code !== 'invalid_value') return issue.message
  const values = issue.values.map(String)
  return `must be one of ${values.join(', ')}${didYouMean(String(given), values)}`
}

/** The end of a message about an unknown word. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = closestWord(word, known)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}
