import type { z } from 'zod'
import type { ErrorCode, Problem } from '../../errors.ts'
import { LIMITS } from '../limits.ts'
import { jsonPointer } from './check-json.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** The parameters of a custom issue in one of our schemas: the code of the problem. */
export interface IssueParameters {
  readonly code: ErrorCode
}

/**
 * Converts the issues that zod found in a part of a body into problems with our codes; at most `LIMITS.problems`.
 *
 * @param part the path to that part
 */
export function schemaProblems(issues: readonly Issue[], body: unknown, part: Path = []): readonly Problem[] {
  return issues
    .slice(0, LIMITS.problems)
    .flatMap((issue) => problemsOf(issue, part, body))
    .slice(0, LIMITS.problems)
}

function problemsOf(issue: Issue, parent: Path, body: unknown): readonly Problem[] {
  const place = [...parent, ...issue.path]
  const value = valueAt(body, place)
  const path = jsonPointer(place)
  switch (issue.code) {
    case 'invalid_type':
      return [
        value === undefined
          ? { path, message: 'is required', code: 'COORD_FIELD_MISSING' }
          : { path, message: typeMessage([issue.expected], value), code: 'COORD_BODY_WRONG_TYPE' },
      ]
    case 'unrecognized_keys':
      return issue.keys.slice(0, LIMITS.problems).map((key) => ({
        path: jsonPointer([...place, key]),
        message: 'is not known here',
        code: 'COORD_FIELD_INVALID',
      }))
    case 'invalid_union':
      return unionProblems(issue.errors, place, body)
    case 'custom':
      return [{ path, message: issue.message, code: codeOf(issue.params) }]
    case 'invalid_value':
      return [{ path, message: `must be ${issue.values.join(' or ')}`, code: 'COORD_FIELD_INVALID' }]
    case 'too_small':
      return [{ path, message: 'is empty', code: 'COORD_FIELD_INVALID' }]
    default:
      return [{ path, message: `is not allowed: ${issue.message}`, code: 'COORD_FIELD_INVALID' }]
  }
}

/** Of all forms that a value may have, chooses the one that the value most resembles. */
function unionProblems(
  errors: readonly (readonly Issue[])[],
  place: Path,
  body: unknown,
): readonly Problem[] {
  const tried = errors.find((issues) => issues[0]?.code !== 'invalid_type' || issues[0].path.length > 0)
  if (tried !== undefined) return tried.flatMap((issue) => problemsOf(issue, place, body))
  const forms = errors.flatMap(([issue]) => (issue?.code === 'invalid_type' ? [issue.expected] : []))
  const message = typeMessage(forms, valueAt(body, place))
  return [{ path: jsonPointer(place), message, code: 'COORD_BODY_WRONG_TYPE' }]
}

function typeMessage(expected: readonly string[], value: unknown): string {
  const given = value === null ? 'null' : withArticle(Array.isArray(value) ? 'array' : typeof value)
  return `must be ${expected.map(withArticle).join(' or ')}, not ${given}`
}

function withArticle(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function codeOf(parameters: Record<string, unknown> | undefined): ErrorCode {
  return (parameters as IssueParameters | undefined)?.code ?? 'COORD_FIELD_INVALID'
}

function valueAt(body: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  )
}
