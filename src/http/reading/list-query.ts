import { z } from 'zod'
import { HEALTHS } from '../../records/health.ts'
import { isTooLongForRange, RANGE_LIMITS } from '../../records/version-range.ts'
import type { ServiceStatus } from '../../registry/answers/answers.ts'
import { SERVICE_FIELDS } from '../../registry/answers/service-json.ts'
import { LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX, type ListQuery } from '../../registry/list/list-query.ts'
import { WORDS_MAX, wordsOf } from '../../registry/list/text-words.ts'
import { asOfQuery, freshnessQuery } from './freshness.ts'
import { namespaceParameter, wholeNumber } from './query-fields.ts'
import { didYouMean } from './read-query.ts'

const STATUSES = ['pending_migration', 'active'] as const satisfies readonly ServiceStatus[]
/** Longer than any text that can be registered. */
const VALUE_MAX = 16_384

/** A text that the database can store. Its checks do not end the parsing, so the union below keeps their messages. */
const storable = z
  .string()
  .refine(({ length }) => length <= VALUE_MAX, `has more than ${VALUE_MAX} characters`)
  .refine((text) => !text.includes('\0') && text.isWellFormed(), 'is not text that can be stored')
const filled = storable.refine((text) => text !== '', 'is empty')

/** Sorted, so that the order of the parameters makes no difference. */
const texts = z
  .union([filled, z.array(filled)])
  .transform((given) => [...new Set([given].flat())].sort())
  .optional()
/** The reference shows an array, although a single text is accepted, too. */
const shownAsArray = { anyOf: undefined, type: 'array', items: { type: 'string' } }

const range = filled.superRefine((text, context) => {
  if (!isTooLongForRange(text)) return
  const { length, alternatives } = RANGE_LIMITS
  context.addIssue(
    text.length > length
      ? `has more than ${length} characters`
      : `has more than ${alternatives} alternatives, which || separates`,
  )
})

const fields = filled.transform((text, context) => {
  const names = [...new Set(text.split(',').map((field) => field.trim()))]
  for (const name of names)
    if (!SERVICE_FIELDS.includes(name))
      context.addIssue(
        `names ${JSON.stringify(name.slice(0, 64).toWellFormed()).slice(1, -1)}, which services do not have${didYouMean(name, SERVICE_FIELDS)}`,
      )
  return names
})

const metadata = z
  .array(z.tuple([z.string(), z.union([storable, z.array(storable)])]), 'must be written as metadata.KEY')
  .transform((pairs) =>
    pairs
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([key, given]) =>
        [...new Set([given].flat())].sort().map((text): readonly [string, string] => [key, text]),
      ),
  )
  .optional()

const TEXT_MAX = 256
const search = filled
  .refine(({ length }) => length <= TEXT_MAX, `has more than ${TEXT_MAX} characters`)
  .transform((text, context) => {
    const words = wordsOf(text)
    if (words.length === 0) context.addIssue('has no words')
    if (words.length > WORDS_MAX) context.addIssue(`has more than ${WORDS_MAX} words`)
    return words
  })

/** Parameters of a list of services. */
export const listParameters = z.object({
  q: search.optional().meta({
    description: `Words that a service must all have somewhere in its name, its tags, its capabilities, or the values of its metadata. Parts of words count, and upper and lower case make no difference. Up to ${TEXT_MAX} characters and ${WORDS_MAX} words.`,
    example: 'payment eu',
  }),
  name: filled.optional().meta({ description: 'The exact serviceName.' }),
  namespace: namespaceParameter.meta({ description: 'Only services of this namespace.' }),
  version: range.optional().meta({
    description:
      'A semver range with at most 256 characters and 16 alternatives (`||`). A text that is not a range matches only the same version.',
    example: '^3',
  }),
  tag: texts.meta({ ...shownAsArray, description: 'If repeated, a service must have all of them.' }),
  capability: texts.meta({ ...shownAsArray, description: 'If repeated, a service must have all of them.' }),
  status: z.enum(STATUSES).optional().meta({
    description:
      'Whether a service has sent its `migrationFile`, which is optional. `pending_migration` is no fault: filter by `health` for services that work.',
  }),
  health: z.enum(HEALTHS).optional(),
  // In OpenAPI, the members of an object are separate parameters.
  metadata: metadata.meta({
    ...{ type: 'object', items: undefined },
    propertyNames: { type: 'string', pattern: '^metadata\\.' },
    additionalProperties: { type: 'string' },
    description:
      '`metadata.KEY=VALUE`: this member of `metadata` must have this value. Numbers and booleans are compared as text.',
    example: { 'metadata.team': 'checkout' },
  }),
  limit: wholeNumber(1, LIST_LIMIT_MAX).meta({
    description: 'The largest number of services on a page.',
    default: LIST_LIMIT_DEFAULT,
  }),
  cursor: filled.optional().meta({
    description: '`nextCursor` of the previous page. The filters must stay the same.',
  }),
  fields: fields.optional().meta({
    description: 'Only these fields of each service, separated by commas.',
    example: 'serviceName,endpoint',
  }),
  ...freshnessQuery,
  ...asOfQuery,
})

/** The parameters in the form that the registry takes. */
export function listQueryOf(parameters: z.output<typeof listParameters>): ListQuery {
  const { q, name, namespace, version, status, health, tag = [], capability = [], metadata = [] } = parameters
  const { limit = LIST_LIMIT_DEFAULT, cursor, fields } = parameters
  return {
    filters: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(version === undefined ? {} : { version }),
      ...(q === undefined ? {} : { words: q }),
      ...(status === undefined ? {} : { status }),
      ...(health === undefined ? {} : { health }),
      ...{ tags: tag, capabilities: capability, metadata },
    },
    limit,
    ...(cursor === undefined ? {} : { cursor }),
    ...(fields === undefined ? {} : { fields }),
  }
}
