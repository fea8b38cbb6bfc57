import { compare, type Side } from '../compare.ts'
import { coordinator, registerMany } from '../coordinator-process.ts'
import { makeLoad } from '../load/make-load.ts'
import { registration } from '../load/requests.ts'
import { type BenchOptions, ratioRow, type Scenario } from '../scenario.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { bareServer } from './bare-server.ts'

const services = 10_000

/** `GET /services/:id`, 64 connections, against node:http that sends the same bytes. */
export const reads: Scenario = {
  name: 'reads',
  title: 'Reading one service',
  async run(options) {
    const product = await startServer(coordinator())
    try {
      options.progress(`registering ${services} services`)
      const ids = await registerMany(
        product.port,
        Array.from({ length: services }, (_, number) => registration('reads', number)),
      )
      const paths = ids.map((id) => `/services/${id}`)
      const peer = await startBarePeer(product.port, paths[0] as string)
      try {
        const comparison = await compare(
          getSide('coordinator, memory', product, { paths, options }),
          getSide('node:http, same bytes', peer, { paths, options }),
          options.rounds,
        )
        return [ratioRow('`GET /services/:id`, 64 connections, memory', comparison, { bar: 0.6, aim: 0.8 })]
      } finally {
        await peer.stop()
      }
    } finally {
      await product.stop()
    }
  },
}

interface ReadsOfSide {
  readonly paths: readonly string[]
  readonly options: BenchOptions
  /** The header `Authorization`. @default none is sent */
  readonly authorization?: string | undefined
}

/** Measures one server under reads. */
export function getSide(
  name: string,
  server: ServerProcess,
  { paths, options, authorization }: ReadsOfSide,
): Side {
  return {
    name,
    measure: () =>
      makeLoad({
        port: server.port,
        connections: 64,
        durationMs: options.roundMs,
        warmupMs: options.roundMs / 2,
        source: { kind: 'get', paths, authorization },
      }),
  }
}

async function startBarePeer(port: number, path: string): Promise<ServerProcess> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  const body = await response.text()
  const headers = Object.fromEntries(
    [...response.headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name)),
  )
  return startServer(bareServer('bare-get', { BARE_ANSWER: JSON.stringify({ headers, body }) }))
}
