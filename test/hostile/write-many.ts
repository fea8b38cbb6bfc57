import { Agent, request } from 'node:http'

export interface WriteMany {
  readonly count: number
  /** How many are sent at the same time. @default 8 */
  readonly atOnce?: number
  /** Ends at the first answer with this status. */
  readonly until?: number
}

/** Sends registrations to a coordinator, and counts the answers by status. An answer that does not come is 0. */
export async function writeMany(
  url: string,
  make: (n: number) => unknown,
  { count, atOnce = 8, until }: WriteMany,
): Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>()
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  let next = 0
  const work = async () => {
    while (next < count && (until === undefined || !statuses.has(until))) {
      const n = next
      next += 1
      const status = await post(`${url}/register`, { agent, body: JSON.stringify(make(n)) })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  agent.destroy()
  return statuses
}

function post(url: string, { agent, body }: { agent: Agent; body: string }): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } })
    sent.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', () => resolve(0))
    })
    sent.on('error', () => resolve(0))
    sent.end(body)
  })
}
