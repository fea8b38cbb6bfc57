import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import { ask, registration, scratchFolder, serving } from './coordinator-process.ts'

const kills = 24
const clients = 8

interface Acknowledged {
  readonly serviceId: string
  readonly serviceName: string
  readonly revision: number
}

/** Registers one new service after another, as fast as answers come, until the coordinator is gone. */
async function registerUntilGone(url: string, prefix: string, acknowledged: Acknowledged[]): Promise<void> {
  for (let count = 0; count < 100_000; count += 1) {
    const serviceName = `${prefix}-${count}`
    try {
      const { status, body } = await ask(`${url}/register`, 'POST', registration(serviceName))
      if (status === 201)
        acknowledged.push({ serviceId: body.serviceId, serviceName, revision: body.revision })
    } catch {
      return
    }
  }
}

describe('coordinator serve on SQLite: kill -9 under load', () => {
  it(`${kills} kills: every acknowledged registration is there, with its revision, and the file is sound`, async () => {
    await using folder = await scratchFolder()
    const path = `${folder.path}/coordinator.db`
    const env = { DATABASE_URL: `sqlite:${path}`, LOG_LEVEL: 'warn' }
    const acknowledged: Acknowledged[] = []
    let lineage: string | null = null
    let newest = 0
    for (let kill = 0; kill < kills; kill += 1) {
      await using coordinator = await serving({ env: { ...env, LOG_LEVEL: 'info' } })
      const loaded = await ask(`${coordinator.url}/services?limit=1`)
      lineage ??= loaded.headers.get('x-coordinator-lineage')
      expect(loaded.headers.get('x-coordinator-lineage')).toBe(lineage)
      const known = acknowledged.length
      expect(loaded.body.revision).toBeGreaterThanOrEqual(newest)
      const load = Array.from({ length: clients }, (_, client) =>
        registerUntilGone(coordinator.url, `kill-${kill}-${client}`, acknowledged),
      )
      // Under load: some of it is through.
      await vi.waitUntil(() => acknowledged.length >= known + clients, { timeout: 30_000, interval: 5 })
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
      expect(await coordinator.stop('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
      await Promise.all(load)
      for (const { revision } of acknowledged.slice(known)) newest = Math.max(newest, revision)
    }
    const database = new DatabaseSync(path)
    expect(database.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()

    await using coordinator = await serving({ env: { ...env, LOG_LEVEL: 'info' } })
    const response = await fetch(`${coordinator.url}/services`, {
      headers: { accept: 'application/x-ndjson' },
    })
    const found = new Map<string, number>()
    for (const line of (await response.text()).trim().split('\n')) {
      const { serviceId, revision } = JSON.parse(line) as Acknowledged
      found.set(serviceId, revision)
    }
    console.log(`${kills} kills: ${acknowledged.length} acknowledged, ${found.size} stored`)
    expect(acknowledged.length).toBeGreaterThan(kills * 10)
    expect(acknowledged.filter(({ serviceId, revision }) => found.get(serviceId) !== revision)).toEqual([])
    // Revisions are used once: no two acknowledgements share one.
    expect(new Set(acknowledged.map(({ revision }) => revision)).size).toBe(acknowledged.length)
  })
})
