import { ERRORS, type ErrorCode } from '../../errors.ts'
import type { Meters } from './meters.ts'
import type { Observations } from './series.ts'

/** The reasons to refuse a body: no memory for bodies, no memory for its client, or too slow an arrival. */
const bodyRefusals = ['full', 'client', 'slow'] as const
export type BodyRefusal = (typeof bodyRefusals)[number]

/** The reasons to refuse a connection: there are too many, no memory is left for it, or the system has no descriptor for it. */
const connectionRefusals = ['limit', 'memory', 'system', 'tls'] as const

/** The limits of each principal: LIMIT_WRITES_PER_SECOND and LIMIT_STREAMS. */
const clientLimits = ['writes', 'streams'] as const

interface OutgoingFigures {
  /** Bytes that clients have not read yet. */
  readonly bytes: number
  /** Answers that wait for memory. */
  readonly waiting: number
  /** Connections that were closed so far because other answers needed their memory. */
  readonly cut: number
}

export interface HttpSources {
  /** Clients that follow the journal over HTTP. */
  streams(): number
  /** How many of these clients were cut off so far because they read too slowly. */
  streamsCut(): number
  /** Answers that wait until clients have read them. */
  outgoing(): OutgoingFigures
  /** Streams of the whole state. */
  wholeStreams(): { readonly open: number; readonly refused: number }
  /** Bytes of bodies that are still arriving. */
  bodyBytes(): number
  /** Open connections of clients. */
  clientConnections(): number
  /** How many connections clients may have. */
  clientConnectionsMax(): number
  /** The end of the certificate in use, in epoch milliseconds; `undefined` without TLS. */
  certificateEndsAt(): number | undefined
}

export interface HttpRequestFigures {
  readonly method: string
  /** The pattern, such as `/services/:serviceId`, never the path that was asked for. */
  readonly route: string
  readonly status: number
  readonly durationMs: number
}

/** Connections, bodies, requests, answers and streams. */
export function httpMetrics(meters: Meters, sources: Partial<HttpSources>) {
  meters.gauges({
    coordinator_http_streams: ['Clients that follow the journal.', () => sources.streams?.()],
    coordinator_http_unsent_bytes: [
      'Bytes of answers that clients have not read yet. Bytes that several answers share count once.',
      () => sources.outgoing?.().bytes,
    ],
    coordinator_http_answers_waiting: [
      'Answers that wait for memory because too many bytes are unsent.',
      () => sources.outgoing?.().waiting,
    ],
    coordinator_http_whole_streams: [
      'Streams of the whole state that are open.',
      () => sources.wholeStreams?.().open,
    ],
    coordinator_http_connections: ['Open connections of clients.', () => sources.clientConnections?.()],
    coordinator_http_connections_max: [
      'How many connections clients may have: CONNECTIONS_MAX, or fewer where the limit of open files is low.',
      () => sources.clientConnectionsMax?.(),
    ],
    coordinator_http_certificate_expiry_timestamp_seconds: [
      'When the TLS certificate in use expires; 0 without TLS_CERT_FILE.',
      () => (sources.certificateEndsAt?.() ?? 0) / 1_000,
    ],
    coordinator_http_body_bytes: [
      'Memory that request bodies take while they arrive, in bytes.',
      () => sources.bodyBytes?.(),
    ],
  })
  meters.totals({
    coordinator_http_streams_cut_total: [
      'Clients that followed the journal and were cut off because they read too slowly.',
      () => sources.streamsCut?.(),
    ],
    coordinator_http_clients_cut_total: [
      'Connections that were closed because their clients read nothing for 5 seconds and other answers needed the memory.',
      () => sources.outgoing?.().cut,
    ],
    coordinator_http_whole_streams_refused_total: [
      'Streams of the whole state that were answered with 503.',
      () => sources.wholeStreams?.().refused,
    ],
  })
  const durations = meters.histogram(
    'coordinator_http_request_duration_seconds',
    'How long HTTP requests took, by route pattern; its count is the number of requests.',
    {
      labels: { method: [], route: [], status: [] },
      bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    },
  )
  const problems = meters.counter(
    'coordinator_http_problems_total',
    'Requests that were answered with an error, by its code.',
    { code: Object.keys(ERRORS).filter((code) => !code.startsWith('COORD_CLI_')) },
  )
  const connectionsRefused = meters.counter(
    'coordinator_http_connections_refused_total',
    `Connections that were refused, by reason (${connectionRefusals.join(', ')}).`,
    { reason: connectionRefusals },
  )
  const bodiesRefused = meters.counter(
    'coordinator_http_bodies_refused_total',
    `Request bodies that were refused while they arrived, by reason (${bodyRefusals.join(', ')}).`,
    { reason: bodyRefusals },
  )
  const limited = meters.counter(
    'coordinator_limited_total',
    `Requests that were refused with 429 because their principal or client had reached a limit (${clientLimits.join(', ')}).`,
    { limit: clientLimits },
  )
  const known = new Map<string, Map<string, Map<number, Observations>>>()
  const seriesOf = (route: string, method: string, status: number): Observations => {
    const byMethod = known.get(route) ?? new Map<string, Map<number, Observations>>()
    const byStatus = byMethod.get(method) ?? new Map<number, Observations>()
    const series = durations.of({ method, route, status })
    known.set(route, byMethod.set(method, byStatus.set(status, series)))
    return series
  }
  return {
    /** Counts a request. */
    request({ method, route, status, durationMs }: HttpRequestFigures): void {
      const series = known.get(route)?.get(method)?.get(status) ?? seriesOf(route, method, status)
      series.observe(durationMs / 1_000)
    },

    /** Counts a request that was answered with an error. */
    problem: (code: ErrorCode) => problems.of({ code }).add(),

    connectionRefused: (reason: (typeof connectionRefusals)[number]) =>
      connectionsRefused.of({ reason }).add(),
    bodyRefused: (reason: BodyRefusal) => bodiesRefused.of({ reason }).add(),
    limited: (limit: (typeof clientLimits)[number]) => limited.of({ limit }).add(),
  }
}
