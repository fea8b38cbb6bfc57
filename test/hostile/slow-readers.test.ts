import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { HealthWatch, ProcessFigures } from './process-figures.ts'
import { clients, RawClient } from './raw-client.ts'

const nodeArgs = ['--max-old-space-size=128']
const large = 500
const list = `/services?limit=${large}`

/** Registers services of 16 KB each: their list is an answer of 8 MB. */
async function registerLarge(url: string, count = large): Promise<string> {
  const metadata = { fill: 'x'.repeat(16_000) }
  let id = ''
  for (let at = 0; at < count; at += 50) {
    const batch = Array.from({ length: 50 }, (_, n) => registration(`s${at + n}`, { metadata }))
    const { body } = await ask(`${url}/register/batch`, 'POST', batch)
    expect(body.failed).toBe(0)
    id = body.results[0].serviceId
  }
  return id
}

async function metric({ url }: Serving, name: string): Promise<number> {
  const { body } = await ask(`${url}/metrics`)
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(body)?.[1])
}

function figuresOf({ process }: Serving): { readonly pid: number; readonly figures: ProcessFigures } {
  const pid = process.child.pid as number
  return { pid, figures: new ProcessFigures(pid) }
}

describe('slow readers', () => {
  it('200 that ask for large answers and read nothing take bounded memory, and others are served', async () => {
    await using coordinator = await serving({ nodeArgs })
    const { url } = coordinator
    const { pid, figures } = figuresOf(coordinator)
    const id = await registerLarge(url)
    expect((await ask(url + list)).body.services).toHaveLength(large)
    const before = figures.rssMiB
    let most = 0
    {
      await using watch = new HealthWatch(url, pid)
      using _hostile = clients(200, () => new RawClient(url, list).pause())
      let served = 0
      for (const end = performance.now() + 8_000; performance.now() < end; ) {
        expect((await ask(`${url}/services/${id}`)).status).toBe(200)
        most = Math.max(most, figures.rssMiB)
        expect(await metric(coordinator, 'coordinator_http_unsent_bytes')).toBeLessThan(80 * 1_048_576)
        await pause(50)
        served += 1
      }
      // There is room again when those who take nothing were cut off.
      const refused = new Set<string>()
      await expect
        .poll(
          async () => {
            const { status, body, headers } = await ask(url + list)
            if (status !== 200) refused.add(`${body.code} ${headers.get('retry-after')}`)
            return body.services?.length
          },
          { timeout: 30_000 },
        )
        .toBe(large)
      console.log({ refused })
      console.log({
        before,
        most,
        served,
        longest: watch.longestMs,
        cut: await metric(coordinator, 'coordinator_http_clients_cut_total'),
      })
      expect(watch.failures).toBe(0)
      expect(watch.longestMs).toBeLessThanOrEqual(100)
      expect(most - before).toBeLessThan(150)
    }
    const t = performance.now()
    await expect
      .poll(
        async () => {
          await ask(url + list)
          return figures.rssMiB - before
        },
        { timeout: 20_000 },
      )
      .toBeLessThan(40)
    console.log('back after', performance.now() - t)
    expect(await metric(coordinator, 'coordinator_http_unsent_bytes')).toBe(0)
  })
})
