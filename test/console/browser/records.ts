import demo from '../../../examples/data/opentelemetry-demo.json' with { type: 'json' }
import type { ServerScope } from '../../http/with-server.ts'

/** What the coordinator of a test has: the OpenTelemetry demo, 10,000 services, or nothing. */
export type Records = 'demo' | 'thousands' | 'none'

const batchSize = 500

export async function addRecords(
  scope: Pick<ServerScope, 'ask'>,
  records: Records,
  token?: string,
): Promise<void> {
  const services = records === 'demo' ? demo : records === 'thousands' ? manyServices(10_000) : []
  await addServices(scope, services, token)
}

/** Registers services, each as a revision of its own. @throws Error if one is refused */
export async function addServices(
  { ask }: Pick<ServerScope, 'ask'>,
  services: readonly unknown[],
  token?: string,
): Promise<void> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  for (let from = 0; from < services.length; from += batchSize) {
    const { status, text } = await ask('/register/batch', {
      json: services.slice(from, from + batchSize),
      headers,
    })
    if (status >= 300) throw new Error(`POST /register/batch answered ${status}: ${text.slice(0, 500)}`)
  }
}

const owners = ['checkout', 'search', 'payments', 'platform', 'identity', 'data', 'mobile'] as const
const kinds = ['api', 'worker', 'store', 'gateway', 'cache'] as const

/** Services in layers: each needs up to four of those before it, mostly of its own neighbourhood. The same at each call. */
export function manyServices(count: number) {
  const nameOf = (index: number) => `${owners[index % owners.length]}-${kinds[index % kinds.length]}-${index}`
  return Array.from({ length: count }, (_, index) => {
    const owner = owners[index % owners.length] as string
    const kind = kinds[index % kinds.length] as string
    const needed = [1, 7, 35, 1 + (index % 97)].map((back) => index - back).filter((other) => other >= 0)
    return {
      serviceName: nameOf(index),
      version: `${1 + (index % 4)}.${index % 10}.0`,
      endpoint: `http://${nameOf(index)}:8080`,
      dependencies: [...new Set(needed)].slice(0, 1 + (index % 4)).map(nameOf),
      tags: [kind, index % 100 === 0 ? 'critical' : 'normal'],
      metadata: { owner, system: `system-${index % 40}`, region: index % 2 === 0 ? 'eu' : 'us' },
    }
  })
}
