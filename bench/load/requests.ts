import type { RequestSource } from './protocol.ts'

/** How many names the registrations of a round share: many services have several endpoints. */
const distinctNames = 10_000

/**
 * A registration of 300 to 600 bytes with 2 tags and 3 dependencies; each number makes another service.
 *
 * @param run tells the services of one round from those of another
 */
export function registration(run: string, number: number): string {
  const name = `service-${number % distinctNames}`
  return JSON.stringify({
    serviceName: name,
    version: `1.${number % 7}.${number % 11}`,
    endpoint: `http://${name}-${run}-${number}.internal.example:8080/api`,
    healthCheck: '/healthz',
    description:
      'Takes orders from the shop, checks what is in stock, and hands them to payment and shipping.',
    metadata: { team: `team-${number % 40}`, region: `region-${number % 5}`, tier: String(number % 3) },
    tags: [`zone-${number % 12}`, number % 2 === 0 ? 'public' : 'internal'],
    dependencies: [1, 2, 3].map((step) => `service-${(number * 7 + step * 131) % distinctNames}`),
  })
}

/** Makes the function that writes one request after another, as bytes of HTTP/1.1. */
export function requestWriter(source: RequestSource): () => string {
  switch (source.kind) {
    case 'get':
      return getWriter(source)
    case 'register':
      return postWriter('/register', (number) => registration(source.run, number))
    case 'etcd-put':
      return postWriter('/v3/kv/put', (number) => etcdPut(source.run, number))
  }
}

function getWriter({ paths, authorization }: Extract<RequestSource, { kind: 'get' }>): () => string {
  const headers = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`
  const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`)
  let at = 0
  return () => {
    // A stride that is coprime to most counts: neighbours in the list are not asked for one after another.
    at = (at + 7_919) % requests.length
    return requests[at] as string
  }
}

function postWriter(path: string, body: (number: number) => string): () => string {
  let number = 0
  return () => {
    number += 1
    const text = body(number)
    return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`
  }
}

function etcdPut(run: string, number: number): string {
  const encode = (text: string) => Buffer.from(text, 'latin1').toString('base64')
  return `{"key":"${encode(`/services/${run}/${number}`)}","value":"${encode(registration(run, number))}"}`
}
