import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ask,
  type Reply,
  registration,
  runCoordinator,
  scratchFolder,
  serving,
} from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { runInProcess } from './run-in-process.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.dispose())

const refusal = { code: 'COORD_STORE_REPLACED', outcome: 'not_written', retryable: false }

async function servicesAt(url: string): Promise<number> {
  return (await ask(`${url}/services?limit=100`)).body.services.length
}

async function untilReplaced(url: string): Promise<Reply['body']> {
  await expect
    .poll(async () => (await ask(`${url}/health`)).body, { interval: 50 })
    .toMatchObject({ status: 'degraded', storage: { code: 'COORD_STORE_REPLACED' } })
  return (await ask(`${url}/health`)).body
}

describe('coordinator accept-history', () => {
  it('ends on all coordinators what a schema begins that was dropped and migrated anew', async () => {
    const env = { DATABASE_URL: server.url() }
    await using one = await serving({ env })
    await using two = await serving({ env })
    for (let n = 0; n < 20; n += 1)
      await ask(`${one.url}/register`, 'POST', registration(`kept-${String(n).padStart(2, '0')}`))
    await expect.poll(() => servicesAt(two.url)).toBe(20)
    const { lineage } = (await ask(`${one.url}/database`)).body

    await server.query('drop schema coordinator cascade')
    expect((await runCoordinator(['migrate'], { env })).code).toBe(0)
    await using three = await serving({ env })
    expect((await ask(`${three.url}/register`, 'POST', registration('new'))).status).toBe(201)

    for (const { url } of [one, two]) {
      const { storage } = await untilReplaced(url)
      expect(storage.repair).toContain(`\`coordinator accept-history ${lineage}\``)
      expect(await servicesAt(url)).toBe(20)
      expect(await ask(`${url}/register`, 'POST', registration('lost'))).toMatchObject({
        status: 503,
        body: refusal,
      })
      expect((await ask(`${url}/health/ready?for=writes`)).status).toBe(503)
      expect((await ask(`${url}/health/ready`)).status).toBe(200)
      expect((await ask(`${url}/database`)).body).toMatchObject({ code: 'COORD_STORE_REPLACED', lineage })
      expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^coordinator_history_replaced 1$/m)
      const { headers } = await ask(`${url}/services`)
      expect(headers.get('x-coordinator-degraded')).toBe('COORD_STORE_REPLACED')
      expect(headers.get('x-coordinator-lineage')).toBe(lineage)
    }
    const status = await runInProcess(['status'], { env: { COORDINATOR_URL: one.url } })
    expect(status.stdout).toContain(`coordinator accept-history ${lineage}`)
    expect(one.process.output).toMatch(/COORD_STORE_REPLACED/)

    const accepted = await runCoordinator(['accept-history', lineage, '--json'], { env })
    expect(accepted.code).toBe(0)
    const report = JSON.parse(accepted.stdout)
    expect(report).toMatchObject({ accepted: lineage, revision: 1, changed: true })
    for (const { url } of [one, two, three]) {
      await expect
        .poll(async () => (await ask(`${url}/health`)).body, { interval: 50 })
        .toMatchObject({ status: 'ok', lineage: report.lineage })
      expect(await servicesAt(url)).toBe(1)
    }
    for (const { url } of [one, two, three]) {
      const name = `after-${randomUUID()}`
      const written = await ask(`${url}/register`, 'POST', registration(name))
      expect(written.status).toBe(201)
      expect((await ask(`${url}/services/${written.body.serviceId}`, 'DELETE')).status).toBe(200)
    }
    expect(await (await fetch(`${one.url}/metrics`)).text()).toMatch(/^coordinator_history_replaced 0$/m)
    const again = await runCoordinator(['accept-history', lineage], { env })
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing was changed') })
  }, 120_000)

  it('is needed for the content of another system, and not for an older one of the same', async () => {
    const env = { DATABASE_URL: server.url(), DATABASE_SCHEMA: 'mine' }
    await runCoordinator(['migrate'], { env: { ...env, DATABASE_SCHEMA: 'other' } })
    await using coordinator = await serving({ env })
    await ask(`${coordinator.url}/register`, 'POST', registration('kept'))
    await server.query(`create schema backup;
      ${tables.map((table) => `create table backup.${table} as table mine.${table}`).join(';')}`)
    await ask(`${coordinator.url}/register`, 'POST', registration('later'))

    await restore('other')
    await untilReplaced(coordinator.url)
    expect(await servicesAt(coordinator.url)).toBe(2)

    await restore('backup')
    await expect.poll(() => servicesAt(coordinator.url)).toBe(1)
    await expect.poll(async () => (await ask(`${coordinator.url}/health`)).body.status).toBe('ok')
    expect((await ask(`${coordinator.url}/register`, 'POST', registration('later'))).status).toBe(201)
  }, 120_000)

  it('takes a lineage in capitals, and names what is no lineage', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    await runCoordinator(['migrate'], { env })
    const lineage = randomUUID()
    const { stdout } = await runCoordinator(['accept-history', lineage.toUpperCase(), '--json'], { env })
    expect(JSON.parse(stdout)).toMatchObject({ accepted: lineage, changed: true })
    expect(await runInProcess(['accept-history', 'yes'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('A lineage is a UUID'),
    })
    expect(await runInProcess(['accept-history', lineage])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('DATABASE_URL'),
    })
  })
})

const tables = ['head', 'records', 'tombstones', 'journal', 'unchanged', 'writers', 'access_tokens']

/** Puts what another schema has into the schema `mine`, as a dump that is restored does. */
async function restore(from: string): Promise<void> {
  const copies = tables.map(
    (table) => `truncate mine.${table}; insert into mine.${table} select * from ${from}.${table}`,
  )
  await server.query(`begin; set local session_replication_role = replica; ${copies.join(';')}; commit`)
}
