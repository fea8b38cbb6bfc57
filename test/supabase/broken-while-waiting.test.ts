import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, registration, serving } from '../main/coordinator-process.ts'
import { FaultProxy, httpAnswer } from '../support/fault-proxy.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { emptyCode } from './answer-cases.ts'

let project: SupabaseProject
beforeAll(async () => {
  project = await SupabaseProject.start()
})
afterAll(() => project.dispose())

/** The answer of PostgREST where the reply to `commit` was lost between it and its database. */
const broken = httpAnswer(400, emptyCode.body ?? '', { 'proxy-status': 'PostgREST; error=' })

describe('a Data API that loses the reply to COMMIT', () => {
  it('stores a registration once, and answers 201 as soon as it can say so', async () => {
    await using proxy = await FaultProxy.start(project.api.port)
    await using coordinator = await serving({
      env: { SUPABASE_URL: proxy.url, SUPABASE_SECRET_KEY: project.keys.secretKey },
    })
    proxy.add({
      matching: '/rpc/coordinator_commit',
      times: 3,
      fault: { do: 'replace reply', bytes: broken },
    })
    const { status, body } = await ask(`${coordinator.url}/register`, 'POST', registration('lost'))
    expect([status, body.changed, proxy.faults]).toEqual([201, true, 3])
    expect(await entriesOf(body.serviceId)).toBe(1)
  })

  it('never says that a write was not stored which was', async () => {
    await using proxy = await FaultProxy.start(project.api.port)
    await using coordinator = await serving({
      env: {
        SUPABASE_URL: proxy.url,
        SUPABASE_SECRET_KEY: project.keys.secretKey,
        COMMIT_TIMEOUT_MS: '1000',
      },
    })
    proxy.add({ matching: '/rpc/coordinator_commit', fault: { do: 'replace reply', bytes: broken } })
    const { status, body, headers } = await ask(
      `${coordinator.url}/register`,
      'POST',
      registration('unsure'),
      { 'idempotency-key': 'unsure' },
    )
    expect([status, body.outcome, body.code]).toEqual([503, 'unknown', 'COORD_STORE_API_OFFLINE'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    proxy.heal()
    const again = async () =>
      ask(`${coordinator.url}/register`, 'POST', registration('unsure'), { 'idempotency-key': 'unsure' })
    await expect.poll(async () => (await again()).status).toBe(201)
    const { body: stored } = await again()
    expect(stored).toMatchObject({ changed: true, replayed: true })
    expect(await entriesOf(stored.serviceId)).toBe(1)
  })
})

async function entriesOf(serviceId: string): Promise<number> {
  const [row] = await project.server.query<{ entries: number }>(
    `select count(*)::integer as entries from coordinator.journal where writes @> '[{"id":"${serviceId}"}]'`,
  )
  return row?.entries ?? 0
}
