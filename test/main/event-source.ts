import { EventSource } from 'undici'
import { expect } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { ask, registration, type Serving, scratchFolder, serving } from './coordinator-process.ts'

async function registerMany({ url }: Serving, from: number, count: number): Promise<void> {
  for (let at = from; at < from + count; at += 1_000) {
    const size = Math.min(1_000, from + count - at)
    const services = Array.from({ length: size }, (_, n) => registration(`s${at + n}`))
    const { body } = await ask(`${url}/register/batch`, 'POST', services)
    expect(body).toMatchObject({ failed: 0 })
  }
}

/** What an EventSource gets of a coordinator with that many services on SQLite that is ended and started again. */
export async function overRestart(count: number, signal: NodeJS.Signals) {
  await using folder = await scratchFolder()
  const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db`, PORT: String(await freePort()) }
  const options = { env }
  const first = await serving(options)
  const source = new EventSource(`${first.url}/changes`)
  const revisions: number[] = []
  const states = new Set<number>()
  let opened = 0
  let openedAt = 0
  source.addEventListener('open', () => {
    opened += 1
    openedAt = performance.now()
  })
  source.addEventListener('error', () => states.add(source.readyState))
  source.addEventListener('change', (event) => {
    revisions.push(JSON.parse((event as MessageEvent<string>).data).revision)
  })
  try {
    await expect.poll(() => opened).toBe(1)
    await registerMany(first, 0, count)
    await expect.poll(() => revisions.length, { timeout: 60_000 }).toBe(count)
    await first.stop(signal)
    const stoppedAt = performance.now()
    await using second = await serving(options)
    const loadedMs = performance.now() - stoppedAt
    const openedMs = openedAt > stoppedAt ? openedAt - stoppedAt : undefined
    await registerMany(second, count, 1)
    await expect.poll(() => revisions.length, { timeout: 60_000 }).toBe(count + 1)
    return { revisions, opened, gaveUp: states.has(EventSource.CLOSED), openedMs, loadedMs }
  } finally {
    source.close()
  }
}
