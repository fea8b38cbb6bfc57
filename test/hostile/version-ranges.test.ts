import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { dearness } from '../support/dearness.ts'
import { abandon } from './abandoned.ts'
import { HealthWatch, ProcessFigures } from './process-figures.ts'

const hubVersions = 3_000
const consumers = 1_000
/** The most that a registration takes: 255 characters. No version fulfils the 16 alternatives, each a condition of its own. */
const longRange = Array.from({ length: 16 }, (_, at) => `>=90.${at}.0 <90`).join('||')
const versionsOfHub = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) =>
    registration('hub', { version: `1.${from + at}.0`, endpoint: `http://hub-${from + at}` }),
  )
const change = { changeVersion: [{ serviceName: 'hub', from: '1.1.0', version: '3.0.0' }] }

describe('ranges against thousands of versions', () => {
  let coordinator: Serving
  let figures: ProcessFigures
  let pid: number

  beforeAll(async () => {
    // What counts is the work, on a machine that may have little time for it.
    coordinator = await serving({ env: { QUESTION_TIMEOUT_MS: '60000' } })
    pid = coordinator.process.child.pid as number
    figures = new ProcessFigures(pid)
    for (let from = 0; from < hubVersions; from += 1_000) await register(versionsOfHub(from, 1_000))
    await register(
      Array.from({ length: consumers }, (_, at) => {
        const own = `${longRange}||${at}`.slice(-255)
        const version = at % 2 === 0 ? own : `${'>=1.0.0 '.repeat(31)}<1.${at}`
        return registration(`consumer-${at}`, { dependencies: [{ serviceName: 'hub', version }] })
      }),
    )
  }, 120_000)
  afterAll(() => coordinator[Symbol.asyncDispose]())

  async function register(services: readonly unknown[]): Promise<void> {
    const { body } = await ask(`${coordinator.url}/register/batch`, 'POST', services)
    expect(body).toMatchObject({ failed: 0 })
  }

  it.each([
    ['one version that changes', change],
    ['one instance that goes', undefined],
  ])('are judged in time for %s, while the coordinator answers others', async (_, given) => {
    const { body } = await ask(`${coordinator.url}/services?name=hub&version=1.1.0`)
    const simulated = given ?? { remove: [body.services[0].serviceId] }
    await using watch = new HealthWatch(coordinator.url, pid)
    const before = figures.cpuMs
    const answer = await ask(`${coordinator.url}/knowledge-graph/simulate`, 'POST', simulated)
    const workedMs = figures.cpuMs - before
    expect(answer).toMatchObject({ status: 200, body: { success: true } })
    expect(workedMs).toBeLessThan(2_000 * dearness())
    expect(watch.failures).toBe(0)
    expect(watch.longestMs).toBeLessThan(100 * dearness())
  })

  it('are judged no more for clients that have left', async () => {
    await using watch = new HealthWatch(coordinator.url, pid)
    const url = `${coordinator.url}/knowledge-graph/simulate`
    await Promise.all(Array.from({ length: 10 }, () => abandon({ url, method: 'POST', body: change })))
    const before = figures.cpuMs
    await expect.poll(() => figures.cpuMs - before).toBeGreaterThan(0)
    const settled = await settledCpu(figures)
    expect(settled - before).toBeLessThan(1_000 * dearness())
    expect(watch.longestMs).toBeLessThan(100 * dearness())
  })

  it('that are too long for a filter are refused', async () => {
    const nines = '9||'.repeat(4_096)
    expect(await ask(`${coordinator.url}/services?limit=1&version=${nines}`)).toMatchObject({
      status: 400,
      body: {
        code: 'COORD_QUERY_INVALID',
        errors: [{ path: 'query.version', message: 'has more than 256 characters' }],
      },
    })
    const seventeen = Array.from({ length: 17 }, () => '9').join('||')
    expect(
      (await ask(`${coordinator.url}/services?version=${encodeURIComponent(seventeen)}`)).body.errors,
    ).toEqual([expect.objectContaining({ message: 'has more than 16 alternatives, which || separates' })])
  })
})

it('a range as long as it may be keeps nobody waiting while 20,000 versions are judged by it', async () => {
  await using coordinator = await serving()
  const pid = coordinator.process.child.pid as number
  for (let from = 0; from < 20_000; from += 1_000)
    expect(
      (await ask(`${coordinator.url}/register/batch`, 'POST', versionsOfHub(from, 1_000))).body.failed,
    ).toBe(0)
  await using watch = new HealthWatch(coordinator.url, pid)
  for (const range of [
    longRange,
    `${'>=1.0.0 '.repeat(30)}<1.1-0`,
    Array.from({ length: 16 }, () => '9').join('||'),
  ]) {
    const found = await ask(`${coordinator.url}/services?limit=1&version=${encodeURIComponent(range)}`)
    expect(found.status).toBe(200)
  }
  expect(watch.longestMs).toBeLessThan((50 + 20) * dearness())
}, 120_000)

/** The time that a process has worked when it has come to rest. */
async function settledCpu(figures: ProcessFigures): Promise<number> {
  for (let before = figures.cpuMs; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    const now = figures.cpuMs
    // The watch itself takes a little.
    if (now - before < 100) return now
    before = now
  }
}
