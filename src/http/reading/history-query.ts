import { z } from 'zod'
import { freshnessQuery } from './freshness.ts'
import { revisionText } from './read-query.ts'

const limit = 100

/** Parameters of a page of what happened to one record. */
export const historyQuery = z.object({
  before: revisionText
    .optional()
    .meta({ description: 'Only entries below this revision: `next` of the page before.' }),
  limit: z
    .string()
    .regex(/^(?:[1-9]\d?|100)$/, `must be a whole number from 1 to ${limit}`)
    .transform(Number)
    .optional()
    .meta({ description: 'Entries on a page.', type: 'integer', minimum: 1, maximum: limit, default: limit }),
  ...freshnessQuery,
})
