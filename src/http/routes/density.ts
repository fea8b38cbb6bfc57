import { z } from 'zod'
import { CoordinatorError } from '../../errors.ts'
import { type KeptFrom, RevisionTimes } from '../../live/reading/revision-times.ts'
import type { Revision } from '../../records/record.ts'
import { readTime } from '../../text/read-time.ts'
import type { StateAnswer } from '../answering/answers.ts'
import { json, type Operation } from '../reading/operation.ts'
import { wholeNumber } from '../reading/query-fields.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { type Route, readRoute } from '../routing/route.ts'
import type { ChangeFeed } from '../streams/change-feed.ts'

const BUCKETS_MAX = 1_000
const BUCKETS_DEFAULT = 100

/** Times are whole milliseconds from the year 0 to 9999. */
const time = z
  .string()
  .transform((text, context): number => {
    // A plus sign that was not percent-encoded arrives as a space.
    const at = readTime(text.replace(/ (\d\d:\d\d)$/, '+$1'))
    if (at !== undefined) return at
    context.addIssue('must be a time that exists, such as 2026-01-31T12:00:00Z')
    return z.NEVER
  })
  .optional()

const parameters = z.object({
  from: time.meta({
    description:
      'The time at which the first bucket begins (ISO 8601 with a zone). The default is the first change that is kept.',
    example: '2026-01-31T12:00:00Z',
  }),
  to: time.meta({ description: 'The time at which the last bucket ends. The default is now.' }),
  buckets: wholeNumber(1, BUCKETS_MAX).meta({
    description: 'Into how many parts of the same length the time is divided.',
    default: BUCKETS_DEFAULT,
  }),
})

/** `/changes/density`: the number of changes over time. */
export function densityRoute(context: HttpContext, { ring }: ChangeFeed): Route {
  const { live } = context
  const times = new RevisionTimes(live, ring)
  return readRoute(
    context,
    operation,
    async (_, { from, to, buckets = BUCKETS_DEFAULT }): Promise<StateAnswer> => {
      const kept = await times.keptFrom()
      const { revision } = live.view
      const span = spanOf({ from, to }, kept)
      const borders = bordersOf(span, buckets)
      // A change at a border belongs to the bucket that begins there; one at the very end to the last bucket.
      const ends = borders.map((border, at) => (at === borders.length - 1 ? border : border - 1))
      const revisions = await times.revisionsAt(ends)
      return { body: JSON.stringify(answerOf({ span, borders, revisions, kept, revision })), revision }
    },
  )
}

interface Span {
  readonly from: number
  readonly to: number
}

/** @throws COORD_QUERY_INVALID */
function spanOf(
  { from, to }: { readonly from: number | undefined; readonly to: number | undefined },
  { at: keptAt }: KeptFrom,
): Span {
  const now = Date.now()
  const end = to ?? Math.max(now, from === undefined ? 0 : from)
  const begin = from ?? Math.min(keptAt ?? end, end)
  if (begin <= end) return { from: begin, to: end }
  throw new CoordinatorError('COORD_QUERY_INVALID', {
    detail: '`from` is later than `to`.',
    errors: [{ path: 'query.from', message: 'is later than `to`' }],
  })
}

/** The beginning of each bucket, and the end of the last one. No bucket is shorter than a millisecond. */
function bordersOf({ from, to }: Span, buckets: number): number[] {
  const count = Math.max(1, Math.min(buckets, to - from))
  return Array.from({ length: count + 1 }, (_, at) => from + Math.round(((to - from) * at) / count))
}

interface Found {
  readonly span: Span
  readonly borders: readonly number[]
  readonly revisions: readonly Revision[]
  readonly kept: KeptFrom
  readonly revision: Revision
}

function answerOf({ span, borders, revisions, kept, revision }: Found): z.input<typeof densitySchema> {
  const buckets = borders.slice(0, -1).map((border, at) => {
    const [before, after] = [revisions[at] as Revision, revisions[at + 1] as Revision]
    return { from: timeText(border), changes: after - before, revision: after }
  })
  return {
    success: true,
    from: timeText(span.from),
    to: timeText(span.to),
    buckets,
    changes: (revisions.at(-1) as Revision) - (revisions[0] as Revision),
    keptFrom: kept.at === undefined ? null : timeText(kept.at),
    floorRevision: kept.floor,
    revision,
  }
}

function timeText(at: number): string {
  return new Date(at).toISOString()
}

const instant = z.iso.datetime()
const densitySchema = z
  .object({
    success: z.literal(true),
    from: instant,
    to: instant,
    buckets: z.array(
      z.object({
        from: instant.meta({ description: 'Its beginning. It ends where the next one begins.' }),
        changes: z.int().nonnegative(),
        revision: z.int().nonnegative().meta({
          description: 'The newest revision at its end: `asOf` shows the state of that moment.',
        }),
      }),
    ),
    changes: z.int().nonnegative().meta({ description: 'In all buckets together.' }),
    keptFrom: instant.nullable().meta({
      description:
        'Time of the first change that is kept; `null` if there is none. Earlier buckets have no changes.',
    }),
    floorRevision: z.int().nonnegative().meta({ description: 'The oldest revision that `asOf` can answer.' }),
    revision: z.int().nonnegative(),
  })
  .meta({
    id: 'ChangeDensity',
    example: {
      success: true,
      from: '2026-01-31T12:00:00.000Z',
      to: '2026-01-31T13:00:00.000Z',
      buckets: [
        { from: '2026-01-31T12:00:00.000Z', changes: 17, revision: 117 },
        { from: '2026-01-31T12:30:00.000Z', changes: 0, revision: 117 },
      ],
      changes: 17,
      keptFrom: '2026-01-02T08:15:00.000Z',
      floorRevision: 0,
      revision: 117,
    },
  })

const operation = {
  chapter: 'graph',
  scope: 'read',
  summary: 'The number of changes over time',
  description:
    'Divides a time into buckets, and counts the commits in each, over the history that is kept. The counts come from the revisions at the borders of the buckets, so they take the same time for ten changes as for a million. Each bucket names the revision at its end.',
  query: parameters,
  state: true,
  errors: ['COORD_PAST_BUSY', 'COORD_STORE_BUSY'],
  answers: { 200: json('The buckets.', densitySchema) },
} as const satisfies Operation
