import { Counter, Gauge, type Registry } from 'prom-client'

/** Why a body was not received: no memory for bodies, none for its client, or it arrived too slowly. */
export const bodyRefusals = ['full', 'client', 'slow'] as const
export type BodyRefusal = (typeof bodyRefusals)[number]

/** Why a connection was not accepted: there were too many, or the system had no descriptor for it. */
export const connectionRefusals = ['limit', 'system'] as const
export type ConnectionRefusal = (typeof connectionRefusals)[number]

/** Answers that gauges ask for when they are scraped. Until one is given its gauges are 0. */
export interface IncomingSources {
  /** Bytes of bodies that are still arriving. */
  bodyBytes(): number
  /** Open connections. */
  connections(): number
  /** How many there may be. */
  connectionsMax(): number
}

export type IncomingMetrics = ReturnType<typeof createIncomingMetrics>

/** Metrics of what arrives before it is a request: connections and bodies. */
export function createIncomingMetrics(registers: Registry[]) {
  const sources: Partial<IncomingSources> = {}
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      registers,
      collect(): void {
        metric.set(read())
      },
    })
  }
  gauge('coordinator_http_connections', 'Open connections of clients.', () => sources.connections?.() ?? 0)
  gauge(
    'coordinator_http_connections_max',
    'How many connections clients may have: CONNECTIONS_MAX, or fewer where the limit of open files is low.',
    () => sources.connectionsMax?.() ?? 0,
  )
  gauge('coordinator_http_body_bytes', 'Memory that request bodies take while they arrive, in bytes.', () =>
    sources.bodyBytes === undefined ? 0 : sources.bodyBytes(),
  )
  const connectionsRefused = new Counter({
    name: 'coordinator_http_connections_refused_total',
    help: `Connections that were refused, by reason (${connectionRefusals.join(', ')}).`,
    labelNames: ['reason'],
    registers,
  })
  const bodiesRefused = new Counter({
    name: 'coordinator_http_bodies_refused_total',
    help: `Request bodies that were refused while they arrived, by reason (${bodyRefusals.join(', ')}).`,
    labelNames: ['reason'],
    registers,
  })
  for (const reason of connectionRefusals) connectionsRefused.inc({ reason }, 0)
  for (const reason of bodyRefusals) bodiesRefused.inc({ reason }, 0)
  return {
    /** Tells gauges where to ask. May be called again; later sources replace earlier ones. */
    ask(more: Partial<IncomingSources>): void {
      Object.assign(sources, more)
    },

    connectionRefused(reason: ConnectionRefusal): void {
      connectionsRefused.inc({ reason })
    },

    bodyRefused(reason: BodyRefusal): void {
      bodiesRefused.inc({ reason })
    },
  }
}
