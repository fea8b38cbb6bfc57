import type { Meters } from './meters.ts'

/** Why a body was not received: no memory for bodies, none for its client, or it arrived too slowly. */
const bodyRefusals = ['full', 'client', 'slow'] as const
export type BodyRefusal = (typeof bodyRefusals)[number]

/** Why a connection was not accepted: there were too many, or the system had no descriptor for it. */
const connectionRefusals = ['limit', 'system'] as const

export interface IncomingSources {
  /** Bytes of bodies that are still arriving. */
  bodyBytes(): number
  /** Open connections. */
  connections(): number
  /** How many there may be. */
  connectionsMax(): number
}

export type IncomingMetrics = ReturnType<typeof incomingMetrics>

/** What arrives before it is a request: connections and bodies. */
export function incomingMetrics(meters: Meters) {
  const sources: Partial<IncomingSources> = {}
  meters.gauges({
    coordinator_http_connections: ['Open connections of clients.', () => sources.connections?.()],
    coordinator_http_connections_max: [
      'How many connections clients may have: CONNECTIONS_MAX, or fewer where the limit of open files is low.',
      () => sources.connectionsMax?.(),
    ],
    coordinator_http_body_bytes: [
      'Memory that request bodies take while they arrive, in bytes.',
      () => sources.bodyBytes?.(),
    ],
  })
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
  return {
    /** Tells gauges where to ask. May be called again; later sources replace earlier ones. */
    ask: (more: Partial<IncomingSources>): void => void Object.assign(sources, more),
    connectionRefused: (reason: (typeof connectionRefusals)[number]): void =>
      connectionsRefused.of({ reason }).add(),
    bodyRefused: (reason: BodyRefusal): void => bodiesRefused.of({ reason }).add(),
  }
}
