import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { describe, expect, it } from 'vitest'
import { ask, registration, scratchFolder, serving } from '../main/coordinator-process.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { S3Server } from '../support/s3-server.ts'

const outageSeconds = Number(process.env['TEST_OUTAGE_SECONDS'] ?? 600)
const quietSeconds = Math.max(5, outageSeconds / 5)
/** Registrations in a second. */
const RATE = Number(process.env['TEST_RATE'] ?? 200)
/** How often a share of them is sent, in milliseconds. */
const TICK_MS = 20

const noRoom = 'HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

const outages: readonly (readonly [name: string, begin: (proxy: FaultProxy) => unknown])[] = [
  ['hangs', (proxy) => proxy.add({ fault: { do: 'hang' } })],
  ['is away', (proxy) => proxy.refuse()],
  ['is full', (proxy) => proxy.add({ matching: 'PUT ', fault: { do: 'answer', bytes: noRoom } })],
]

describe(`a bucket that for ${outageSeconds} seconds`, () => {
  it.each(outages)(
    '%s changes neither the rate nor the latency of writes, and then has everything without help',
    { timeout: (outageSeconds + 3 * quietSeconds + 300) * 1_000 },
    async (name, begin) => {
      const s3 = await S3Server.start()
      try {
        await using proxy = await FaultProxy.start(s3.port)
        await using folder = await scratchFolder()
        const env = {
          ...s3.env,
          ...{ AWS_ENDPOINT_URL_S3: proxy.url, BACKUP_URL: s3.url(), BACKUP_INTERVAL_MS: '1000' },
          DATABASE_URL: `sqlite:${folder.path}/coordinator.db`,
        }
        await using coordinator = await serving({ env })
        const backup = async () => (await ask(`${coordinator.url}/health`)).body.backup
        const writer = new SteadyWriter(coordinator.url)
        await writer.write(quietSeconds)
        const before = await writer.write(quietSeconds)
        await expect.poll(backup, { timeout: 60_000 }).toMatchObject({ state: 'ok', unarchivedRevisions: 0 })

        await begin(proxy)
        const during = await writer.write(outageSeconds)
        const { state, unarchivedSeconds } = await backup()
        expect(state).toBe('failing')
        expect(unarchivedSeconds).toBeGreaterThan(outageSeconds / 2)

        proxy.heal()
        await proxy.listen()
        const healedAt = performance.now()
        const after = await writer.write(quietSeconds)
        const complete = { state: 'ok', unarchivedRevisions: 0, archivedRevision: writer.sent }
        await expect.poll(backup, { timeout: 180_000 }).toMatchObject(complete)
        const seconds = Math.round((performance.now() - healedAt) / 1_000)
        console.log(
          `a bucket that ${name} for ${outageSeconds} s: before ${textOf(before)}; during ${textOf(during)}; after ${textOf(after)}; complete ${seconds} s after its end, ${writer.sent} revisions`,
        )
        // The journal was never compacted before it was archived.
        expect((await ask(`${coordinator.url}/metrics`)).body).toMatch(
          /^coordinator_backup_unarchived_revisions 0$/m,
        )
        expect(during.perSecond).toBeGreaterThan(before.perSecond * 0.97)
        expect(during.medianMs).toBeLessThan(before.medianMs * 1.5 + 2)
      } finally {
        await s3.close()
      }
    },
  )
})

interface Written {
  readonly perSecond: number
  readonly medianMs: number
  readonly p99Ms: number
}

function textOf({ perSecond, medianMs, p99Ms }: Written): string {
  return `${perSecond.toFixed(1)}/s, median ${medianMs.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`
}

/** Registers new services at a steady rate, however long the answers take. */
class SteadyWriter {
  readonly #url: string
  readonly #agent = new Agent({ connections: 64 })
  sent = 0

  constructor(url: string) {
    this.#url = url
  }

  async write(seconds: number): Promise<Written> {
    const startedAt = performance.now()
    const took: number[] = []
    const waiting: Promise<void>[] = []
    const goal = Math.round(seconds * RATE)
    for (let sent = 0; sent < goal; await sleep(TICK_MS)) {
      const due = Math.min(goal, ((performance.now() - startedAt) / 1_000) * RATE)
      for (; sent < due; sent += 1) waiting.push(this.#register(took))
    }
    await Promise.all(waiting)
    took.sort((left, right) => left - right)
    const at = (share: number) => took[Math.floor(took.length * share)] as number
    const elapsed = (performance.now() - startedAt) / 1_000
    return { perSecond: took.length / elapsed, medianMs: at(0.5), p99Ms: at(0.99) }
  }

  async #register(took: number[]): Promise<void> {
    this.sent += 1
    const body = JSON.stringify(registration(`s-${this.sent}`))
    const sentAt = performance.now()
    const { statusCode, body: answer } = await request(`${this.#url}/register`, {
      ...{ method: 'POST', dispatcher: this.#agent, body },
      headers: { 'content-type': 'application/json' },
    })
    await answer.dump()
    if (statusCode !== 201) throw new Error(`A registration was answered with ${statusCode}.`)
    took.push(performance.now() - sentAt)
  }
}
