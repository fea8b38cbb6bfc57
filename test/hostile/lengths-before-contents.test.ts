import { Agent, request as begin } from 'node:http'
import { describe, expect, it } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { dearness } from '../support/dearness.ts'
import { type LargeBody, largeBodies, wrongBatches } from './large-bodies.ts'
import { HealthWatch, ProcessFigures } from './process-figures.ts'

/** What one body of 1 MiB may cost of the processor, and how long a health check may wait, in milliseconds. */
const cpuMs = 50
const waitMs = 100
/**
 * What memory may be held more than before, in MiB. V8 lets the space for new objects grow by 48 MiB, and a process that works does not give it
 * back; the bodies that are sent have 270 MiB.
 */
const leftMiB = 64
const heap = { nodeArgs: ['--max-old-space-size=128'] }

const agent = new Agent({ keepAlive: true })

interface Sent {
  readonly status: number
  readonly bytes: number
}

function send({ url }: Serving, { method, path, body }: Omit<LargeBody, 'what'>): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    begin(url + path, { method, headers, agent }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end(body)
  })
}

describe('a body of 1 MiB that is wrong', () => {
  it('is refused, one and four at once, at little cost, and its memory comes back', async () => {
    await using coordinator = await serving(heap)
    const pid = coordinator.process.child.pid as number
    const figures = new ProcessFigures(pid)
    const { body: known } = await ask(`${coordinator.url}/register`, 'POST', registration('known'))
    const bodies = largeBodies.map((large) => ({ ...large, path: large.path.replace('ID', known.serviceId) }))
    // The first ones make the program warm, and the heap as large as it is in use.
    for (const large of bodies.slice(0, 12))
      await Promise.all([1, 2, 3, 4].map(() => send(coordinator, large)))
    const before = figures.rssMiB
    const worked = figures.cpuMs
    {
      await using watch = new HealthWatch(coordinator.url, pid)
      for (const large of bodies) {
        const [one, ...four] = [
          await send(coordinator, large),
          ...(await Promise.all([1, 2, 3, 4].map(() => send(coordinator, large)))),
        ]
        for (const { status, bytes } of [one as Sent, ...four]) {
          expect({ large: `${large.path} ${large.what}`, ok: status >= 400 && status < 500 }).toEqual({
            large: `${large.path} ${large.what}`,
            ok: true,
          })
          expect(bytes).toBeLessThan(64 * 1_024)
        }
      }
      expect(watch).toMatchObject({ failures: 0 })
      expect(watch.longestMs).toBeLessThan(waitMs * dearness())
    }
    expect((figures.cpuMs - worked) / (5 * bodies.length)).toBeLessThan(cpuMs * dearness())
    // A process at rest collects nothing: some small requests let it.
    const left = async () => {
      for (let at = 0; at < 200; at += 1) await ask(`${coordinator.url}/services`)
      return figures.rssMiB - before
    }
    await expect.poll(left).toBeLessThan(leftMiB)
    expect(coordinator.process.child.exitCode).toBe(null)
    expect((await ask(`${coordinator.url}/health`)).body.registeredServices).toBe(1)
  }, 120_000)

  // Each of a thousand has an answer of its own: twice the work.
  it.each(Object.entries(wrongBatches))('as a batch: %s', async (_, body) => {
    await using coordinator = await serving(heap)
    const pid = coordinator.process.child.pid as number
    const figures = new ProcessFigures(pid)
    const batch = { method: 'POST', path: '/register/batch', body } as const
    // The first ones make the program warm, and the heap as large as it is in use.
    for (const _ of [1, 2, 3, 4, 5]) await send(coordinator, batch)
    const before = figures.rssMiB
    const worked = figures.cpuMs
    {
      await using watch = new HealthWatch(coordinator.url, pid)
      for (const _ of [1, 2, 3, 4, 5]) {
        const { status, bytes } = await send(coordinator, batch)
        expect(status).toBe(200)
        expect(bytes).toBeLessThan(1_048_576)
      }
      expect(watch.longestMs).toBeLessThan(waitMs * dearness())
    }
    expect((figures.cpuMs - worked) / 5).toBeLessThan(2 * cpuMs * dearness())
    // A process at rest collects nothing: some small requests let it.
    const left = async () => {
      for (let at = 0; at < 200; at += 1) await ask(`${coordinator.url}/services`)
      return figures.rssMiB - before
    }
    await expect.poll(left).toBeLessThan(leftMiB)
  })
})
