import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Moment, NOW } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import { readTime } from '../../text/read-time.ts'
import { revisionText } from './query-fields.ts'

/** Parameters of every read of the present. */
export const freshnessQuery = {
  minRevision: revisionText.optional().meta({
    description:
      'Waits until this coordinator has this revision, for at most 3 seconds. After that the answer is 504.',
    example: 42,
  }),
  consistency: z.enum(['latest']).optional().meta({
    description: 'With `latest` the coordinator first asks the database for newer commits.',
  }),
}

/** Parameter of reads that can also be of the past. */
export const asOfQuery = {
  asOf: z
    .string()
    .transform((text, context): Moment => {
      const moment = readMoment(text)
      if (moment !== undefined) return moment
      context.addIssue('must be a revision, a time that exists, such as 2026-01-31T12:00:00Z, or `now`')
      return z.NEVER
    })
    .optional()
    .meta({
      description:
        'Shows the state at this revision, or at this time (ISO 8601 with a zone). `now` is the newest revision, independent of any clock.',
      example: '42',
    }),
}

interface Freshness {
  readonly minRevision?: number | undefined
  readonly consistency?: 'latest' | undefined
}

function readMoment(text: string): Moment | undefined {
  if (text === 'now') return NOW
  if (/^\d{1,16}$/.test(text)) {
    const revision = Number(text)
    return Number.isSafeInteger(revision) ? { revision } : undefined
  }
  // A plus sign that was not percent-encoded arrives as a space.
  const at = readTime(text.replace(/ (\d\d:\d\d)$/, '+$1'))
  return at === undefined ? undefined : { at }
}

/**
 * Waits until the view is as new as the request demands.
 *
 * @returns `undefined` if there is nothing to wait for: most requests are answered in the turn of the event loop in which they arrive
 * @throws COORD_REVISION_WAIT_TIMEOUT, and COORD_STORE_* if the database has to be asked
 */
export function untilFresh(live: Live, { minRevision, consistency }: Freshness): Promise<void> | undefined {
  if (consistency === 'latest') return catchUp(live, minRevision)
  return minRevision === undefined ? undefined : live.waitForRevision(minRevision)
}

async function catchUp(live: Live, minRevision: number | undefined): Promise<void> {
  await live.catchUp()
  if (minRevision !== undefined) await live.waitForRevision(minRevision)
}

/**
 * Refuses a request that expects another history, whose revisions mean something else.
 *
 * @throws COORD_LINEAGE_CHANGED
 */
export function checkLineage(live: Live, { headers }: FastifyRequest): void {
  const expected = headers['x-coordinator-lineage']
  if (expected === undefined) return
  const { lineage, revision } = live.view
  if (expected === lineage) return
  throw new CoordinatorError('COORD_LINEAGE_CHANGED', {
    detail: `The history here is ${lineage}, not the one in X-Coordinator-Lineage.`,
    outcome: 'not_written',
    extra: { lineage, revision },
  })
}
