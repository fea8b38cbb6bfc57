import type { ServerResponse } from 'node:http'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { PageBudget } from '../../live/questions/page-budget.ts'
import type { Position } from '../../records/record.ts'
import { uncounted } from '../../scheduling/client-question.ts'
import { Pace } from '../../scheduling/pace.ts'
import { countAnswer } from '../answering/count-answer.ts'
import { unprovenActor } from '../answering/schemas.ts'
import { type ChangeFilter, parsePosition, positionText, type ShownEntry } from '../answering/shown-entry.ts'
import { shareOf } from '../client/share-of.ts'
import { prefersEventStream } from '../reading/accepts.ts'
import { checkLineage } from '../reading/freshness.ts'
import { invalidHeader } from '../reading/invalid-header.ts'
import type { Operation } from '../reading/operation.ts'
import { namespaceRule, several, wholeNumber } from '../reading/query-fields.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { type ReadAnswer, readRoute } from '../routing/route.ts'
import { type BodyPart, leastSize, neededBytes, separated } from '../sending/body-part.ts'
import { ChangeFeed } from '../streams/change-feed.ts'
import { EventStreams } from '../streams/event-streams.ts'
import { passes, WaitingStreams } from '../streams/waiting-streams.ts'
import { densityRoute } from './density.ts'

const MAX_WAIT_SECONDS = 60
/** How many entries are read at once if a filter wants only some of them. */
const EXAMINED_AT_ONCE = 512

const after = z
  .string()
  .transform((text, context): Position | number => {
    if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
    const position = parsePosition(text)
    if (position !== undefined) return position
    context.addIssue('must be a revision, or a position as `next` and `id:` give it')
    return z.NEVER
  })
  .optional()

const parameters = z.object({
  after: after.meta({
    description: 'Only commits after this revision or position. The default is from now on.',
    example: '42',
  }),
  limit: wholeNumber(1, 1_000).meta({
    description: 'The largest number of entries on a page.',
    default: 100,
  }),
  wait: wholeNumber(0, MAX_WAIT_SECONDS).meta({
    description: 'If there is no entry yet, waits this many seconds for one.',
    default: 0,
  }),
  kind: several('Only entries that write records of these kinds: `service`, `node`, `edge`.'),
  name: several('Only entries about these services (serviceName), nodes (id) or ends of edges (id).'),
  namespace: several(
    'Only entries about services and nodes in these namespaces, and about edges with an end in them.',
    namespaceRule,
  ),
})

interface WantedPage {
  readonly found: readonly ShownEntry[]
  /** The position of the client afterwards. */
  readonly reached: Position
  readonly more: boolean
}

/** `/changes`: the journal, as pages and as a stream. */
export const changesRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, answers, outgoing, metrics, limits, draining, stallTimeoutMs } = context
  const feed = new ChangeFeed(live)
  const streams = new EventStreams(feed, { draining, outgoing, stallTimeoutMs })
  const waiting = new WaitingStreams(feed.ring, draining)
  metrics.ask({ streams: () => streams.count + waiting.count, streamsCut: () => streams.cut })

  app.get('/changes/density', densityRoute(context, feed))
  app.get(
    '/changes',
    readRoute(context, operation, async (request, query, reply): Promise<ReadAnswer> => {
      const { after: wanted, limit = 100, wait = 0, kind, name, namespace } = query
      const filter: ChangeFilter = { kinds: kind, names: name, namespaces: namespace }
      const from = lastEventId(request) ?? wanted
      if (prefersEventStream(request.headers.accept)) return stream(reply, { filter, from })
      const position = await positionOf(from)
      const wanting = { position, limit, wait, filter, response: reply.raw }
      const page = await (wait > 0 ? waitingPage(request, wanting) : wantedPage(wanting))
      const answer = { body: bodyOf(page), headers: ['Cache-Control', 'no-store', 'Vary', 'Accept'] }
      if (from !== undefined) return answer
      // This answer waits for memory, and is not made again: "from now on" would then mean a later moment, and entries would be
      // missing.
      const needed = neededBytes(answer.body)
      if (outgoing.hasRoom(needed, shareOf(request)) || (await answers.reserve(reply, needed))) return answer
      reply.hijack()
      return undefined
    }),
  )

  /** The position after which a client wants entries. @param from a position, a revision, or nothing for the present */
  async function positionOf(from: Position | number | undefined): Promise<Position> {
    if (from === undefined) return live.view.position
    return typeof from === 'number' ? feed.positionOf(from) : from
  }

  async function stream(
    reply: FastifyReply,
    { filter, from }: { readonly filter: ChangeFilter; readonly from: Position | number | undefined },
  ): Promise<undefined> {
    const { raw, request } = reply
    const isStream = request.method !== 'HEAD'
    if (isStream) countStream(reply)
    const find = async () => {
      checkLineage(live, request)
      const position = await positionOf(from)
      await feed.after(position, 1)
      return position
    }
    const serve = (position: Position) => {
      reply.endEarly = streams.serve(raw, { filter, position })
    }
    // A fault that stays is reported now, while the answer can still have a status. One that passes must not be: an EventSource gives
    // up for ever at any status but 200.
    const found = await find().catch(toCoordinatorError)
    if (found instanceof CoordinatorError && !passes(found)) throw found
    const headers = [
      ...answers.stateHeaders(found instanceof CoordinatorError ? undefined : found.revision),
      // A proxy that compresses would hold events back until it has enough of them.
      ...['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store, no-transform'],
      ...['X-Accel-Buffering', 'no', 'Vary', 'Accept'],
    ]
    answers.addCommonHeaders(reply, headers)
    reply.hijack()
    raw.writeHead(200, headers)
    countAnswer(metrics, 200, reply)
    if (!isStream || draining.aborted) raw.end()
    else if (!(found instanceof CoordinatorError)) serve(found)
    else reply.endEarly = waiting.add(raw, { fault: found, begin: async () => serve(await find()) })
    return undefined
  }

  interface Wanted {
    readonly position: Position
    readonly limit: number
    readonly wait: number
    readonly filter: ChangeFilter
    readonly response: ServerResponse
  }

  function countStream({ request, raw }: FastifyReply): void {
    const close = limits.openStream(request)
    raw.once('close', close)
    // A client that has already disconnected would be counted for ever, because its `close` event is over.
    if (raw.destroyed) close()
  }

  async function waitingPage(request: FastifyRequest, wanted: Wanted): Promise<WantedPage> {
    const close = limits.openStream(request)
    try {
      return await wantedPage(wanted)
    } finally {
      close()
    }
  }

  /** Continues until there is a wanted entry, the time is over, or nobody waits any more. Unwanted entries move the position forward. */
  async function wantedPage({ position, limit, wait, filter, response }: Wanted): Promise<WantedPage> {
    const end = performance.now() + wait * 1_000
    // A filter that wants few of many entries must not cause one question to the store for each entry.
    const atOnce = isFiltered(filter) ? EXAMINED_AT_ONCE : limit
    for (let reached = position; ; ) {
      const { entries, more } = await feed.after(reached, atOnce)
      const page = await chooseEntries(entries, { limit, filter })
      if (page.last !== undefined) reached = page.last.position
      if (page.found.length > 0) return { ...page, reached, more: more || page.last !== entries.at(-1) }
      if (more) continue
      const leftMs = end - performance.now()
      if (leftMs <= 0 || draining.aborted || response.destroyed) return { found: [], reached, more }
      await uncounted(nextEntry(reached, leftMs, response))
    }
  }

  /** Waits until there is an entry after a position, another view is served, the client disconnects, or the server stops. */
  function nextEntry({ revision }: Position, timeoutMs: number, response: ServerResponse): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const ended = new AbortController()
    const timer = setTimeout(resolve, timeoutMs)
    const stopListening = feed.wakeUps.wait(resolve)
    draining.addEventListener('abort', () => resolve(), { once: true, signal: ended.signal })
    response.on('close', resolve)
    if ((feed.ring.head?.revision ?? 0) > revision) resolve()
    return promise.finally(() => {
      clearTimeout(timer)
      stopListening()
      response.off('close', resolve)
      ended.abort()
    })
  }

  done()
}

function isFiltered(filter: ChangeFilter): boolean {
  return Object.values(filter).some((wanted) => wanted !== undefined)
}

/** The wanted entries, up to the size of a page. @returns them with the last entry that was examined */
async function chooseEntries(
  entries: readonly ShownEntry[],
  { limit, filter }: { readonly limit: number; readonly filter: ChangeFilter },
): Promise<{ readonly found: readonly ShownEntry[]; readonly last: ShownEntry | undefined }> {
  const found: ShownEntry[] = []
  const budget = new PageBudget()
  const pace = new Pace()
  let last: ShownEntry | undefined
  for (const entry of entries) {
    const isWanted = entry.isWanted(filter)
    if (isWanted && !budget.takeBytes(leastSize([entry.part]))) break
    last = entry
    if (isWanted && found.push(entry) === limit) break
    if (pace.due) await pace.turn()
  }
  return { found, last }
}

function bodyOf({ found, reached, more }: WantedPage): readonly BodyPart[] {
  const next = JSON.stringify(positionText(reached))
  return [
    '{"success":true,"entries":[',
    ...separated(found.map(({ part }) => part)),
    `],"next":${next},"more":${more},"revision":${reached.revision}}`,
  ]
}

function lastEventId({ headers }: FastifyRequest): Position | undefined {
  const id = headers['last-event-id']
  if (id === undefined || id === '') return undefined
  const position = parsePosition(String(id))
  if (position === undefined)
    throw invalidHeader('Last-Event-ID', 'must be the id of an event, as it was sent')
  return position
}

const entrySchema = z
  .object({
    revision: z.int(),
    at: z.string(),
    actor: z.string(),
    unproven: unprovenActor,
    commitId: z.string(),
    position: z.string(),
    writes: z.array(
      z.object({
        op: z.enum(['put', 'delete']),
        kind: z.string(),
        id: z.string(),
        data: z.looseObject({}).optional(),
      }),
    ),
  })
  .meta({ id: 'JournalEntry' })

const operation = {
  chapter: 'graph',
  scope: 'read',
  summary: 'The journal of all changes',
  description:
    'Entries in order and without gaps, from any position, on any coordinator. The answer is a page. With `wait` the coordinator answers as soon as there is an entry. With `Accept: text/event-stream` the answer is a stream of server-sent events. The `id:` of an event is the complete position: a client that reconnects with `Last-Event-ID` misses no entry and gets none twice. While the coordinator loads, or the database cannot be reached, a stream has only comments, and its entries follow. The coordinator sends a stream as fast as the client reads it, and closes the connection of a client that reads nothing for a minute. The client can reconnect in the same way. Filters leave out whole entries. Deletions have no name and always match.',
  query: parameters,
  state: true,
  streams: true,
  errors: ['COORD_REVISION_WAIT_TIMEOUT', 'COORD_HEADER_INVALID', 'COORD_RATE_LIMITED', 'COORD_STREAMS_FULL'],
  answers: {
    200: {
      description: 'A page, or the stream.',
      content: {
        'application/json': z.object({
          success: z.literal(true),
          entries: z.array(entrySchema),
          next: z.string().meta({ description: 'Pass it as `after` to get the entries that follow.' }),
          more: z.boolean().meta({
            description:
              'Whether there are more entries already. Only `more: false` marks the end: an earlier page may be shorter than `limit`.',
          }),
          revision: z.int(),
        }),
        'text/event-stream': undefined,
      },
    },
  },
} as const satisfies Operation
