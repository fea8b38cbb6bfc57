import { expect, it } from 'vitest'
import { type Reply, registration, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'

const requests = 10_000
const clients = 64
const names = 400

/** Sends a request, with a condition on the present state where one is given. */
async function send(
  url: string,
  method: string,
  options: { body?: unknown; ifMatch?: string } = {},
): Promise<Reply> {
  const { body, ifMatch } = options
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

it(`two coordinators on one database: of ${clients} clients one wins each race, and both end with what the database has`, async () => {
  await using server = await PostgresServer.start()
  const env = { DATABASE_URL: server.url() }
  await using one = await serving({ env, timeoutMs: 280_000 })
  await using two = await serving({ env, timeoutMs: 280_000 })
  const urls = [one.url, two.url]
  const answers = new Map<number, number>()
  // Every state that a service had may be left once: two answers that say they left the same one would be two winners.
  const left = new Set<string>()
  let sent = 0

  async function client(number: number): Promise<void> {
    while (sent < requests) {
      sent += 1
      const url = urls[(number + sent) % 2] as string
      const name = `service-${Math.floor(Math.random() * names)}`
      const body = registration(name, { description: `by ${number}, ${sent}` })
      const known = await send(`${url}/services?name=${name}`, 'GET')
      const { serviceId } = known.body.services[0] ?? {}
      const etag =
        serviceId === undefined
          ? null
          : (await send(`${url}/services/${serviceId}`, 'GET')).headers.get('etag')
      const dice = Math.random()
      const condition = etag === null ? {} : { ifMatch: etag }
      const reply =
        etag === null || dice < 0.3
          ? await send(`${url}/register`, 'POST', { body })
          : dice < 0.7
            ? await send(`${url}/register`, 'POST', { body, ...condition })
            : await send(`${url}/services/${serviceId}`, 'DELETE', condition)
      answers.set(reply.status, (answers.get(reply.status) ?? 0) + 1)
      if (etag !== null && dice >= 0.3 && reply.status < 300) {
        expect(left.has(`${serviceId} ${etag}`)).toBe(false)
        left.add(`${serviceId} ${etag}`)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))

  console.log(`answers: ${JSON.stringify(Object.fromEntries(answers))}; ${left.size} conditional winners`)
  // A condition is lost, a deleted service is gone, writers of one record contend: nothing else goes wrong.
  for (const status of answers.keys()) expect([200, 201, 204, 404, 409, 412]).toContain(status)
  expect(answers.get(412)).toBeGreaterThan(0)
  expect(left.size).toBeGreaterThan(100)

  const rows = await server.query<{ id: string; revision: string; data: Record<string, unknown> }>(
    `select id, revision, data from coordinator.records where kind = 'service' order by id`,
  )
  const [head] = await server.query<{ revision: string; entries: string }>(
    'select revision, (select count(*) from coordinator.journal) as entries from coordinator.head',
  )
  expect(head?.entries).toBe(head?.revision)
  for (const url of urls) {
    const { body } = await send(`${url}/services?limit=1000&minRevision=${head?.revision}`, 'GET')
    const view = body.services as { serviceId: string; revision: number; description: string }[]
    expect(
      view.map(({ serviceId, revision, description }) => [serviceId, revision, description]).sort(),
    ).toEqual(rows.map(({ id, revision, data }) => [id, Number(revision), data['description']]))
  }
}, 290_000)
