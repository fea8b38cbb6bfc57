import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, type Env, registration, serving } from '../main/coordinator-process.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { CountingProxy, type Traffic } from './counting-proxy.ts'

const measuredMs = 60_000
const timeoutMs = 300_000
/** What a start asks for is no part of it. */
const settledMs = 5_000

const guide = readFileSync('docs/supabase-container.md', 'utf8')

let project: SupabaseProject
beforeAll(async () => {
  // In one schema they would follow each other's changes.
  project = await SupabaseProject.start({ schemas: ['idle', 'patient', 'busy'] })
})
afterAll(() => project.dispose())

/** The figures of a row of the guide. */
function stated(row: string): { readonly requests: number; readonly megabytes: number } {
  const [, requests = '', megabytes = ''] =
    new RegExp(`^\\| ${row} \\| ([\\d,]+) \\| ([\\d.]+) MB \\|$`, 'm').exec(guide) ?? []
  return { requests: Number(requests.replaceAll(',', '')), megabytes: Number(megabytes) }
}

/** What a coordinator asks in a minute, as for an hour. */
async function measure(env: Env, work?: (url: string) => Promise<void>) {
  await using proxy = await CountingProxy.start(project.api.url)
  await using coordinator = await serving({
    env: { SUPABASE_URL: proxy.url, SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey, ...env },
  })
  await sleep(settledMs)
  proxy.take()
  const started = performance.now()
  while (performance.now() - started < measuredMs) {
    await work?.(coordinator.url)
    await sleep(1_000)
  }
  const traffic: Traffic = proxy.take()
  const hours = (performance.now() - started) / 3_600_000
  const hourly = { requests: traffic.total / hours, megabytes: traffic.answerBytes / 1e6 / hours }
  console.info(`${JSON.stringify(env)}: ${JSON.stringify(hourly)}, ${JSON.stringify(traffic.requests)}`)
  return hourly
}

let count = 0
async function registerOne(url: string): Promise<void> {
  const { status } = await ask(`${url}/register`, 'POST', registration(`service-${++count}`))
  expect(status).toBe(201)
}

describe('docs/supabase-container.md', () => {
  it(
    'says what a coordinator costs',
    async () => {
      const rows = [
        ['is idle, and alone', measure({ DATABASE_SCHEMA: 'idle' })],
        ['is idle, with `POLL_MAX_MS=10000`', measure({ DATABASE_SCHEMA: 'patient', POLL_MAX_MS: '10000' })],
        ['stores one registration each second', measure({ DATABASE_SCHEMA: 'busy' }, registerOne)],
      ] as const
      for (const [row, measuring] of rows) {
        const { requests, megabytes } = stated(row)
        const measured = await measuring
        // A busy machine asks less often, and never much more often.
        expect(measured.requests, row).toBeLessThan(requests * 1.5)
        expect(measured.requests, row).toBeGreaterThan(requests * 0.5)
        expect(measured.megabytes, row).toBeLessThan(megabytes * 1.5)
        expect(measured.megabytes, row).toBeGreaterThan(megabytes * 0.4)
      }
    },
    timeoutMs,
  )
})
