import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { metric, registerLarge } from './large-lists.ts'
import { longestTurnMs, watchingTurns } from './longest-turn.ts'
import { HealthWatch, ProcessFigures } from './process-figures.ts'
import { clients, RawClient } from './raw-client.ts'

// Most of it is the work of the clients, all in this process: seconds where the machine is free.
vi.setConfig({ testTimeout: 300_000 })

const nodeArgs = ['--max-old-space-size=128', ...watchingTurns]
const list = '/services?limit=500'
/** The aim is 50 ms. In so small a heap a collection of garbage alone takes up to 60 ms of a turn. */
const longestMs = 100

/** Memory that is in use, not that which V8 keeps for later. */
async function heldMiB(coordinator: Serving): Promise<number> {
  const heap = await metric(coordinator, 'nodejs_heap_size_used_bytes')
  return (heap + (await metric(coordinator, 'nodejs_external_memory_bytes'))) / 1_048_576
}

function figuresOf({ process }: Serving): { readonly pid: number; readonly figures: ProcessFigures } {
  const pid = process.child.pid as number
  return { pid, figures: new ProcessFigures(pid) }
}

/**
 * Adds clients, no more at once than the system keeps connections that the coordinator has not accepted yet. Beyond that, a client waits for
 * seconds before it tries again, and would miss what it is to wait for.
 */
async function connectAll(coordinator: Serving, count: number, make: (at: number) => RawClient) {
  const atOnce = 250
  const all = clients(0, make)
  const before = await metric(coordinator, 'coordinator_http_connections')
  while (all.length < count) {
    for (const end = Math.min(count, all.length + atOnce); all.length < end; ) all.push(make(all.length))
    const accepted = async () => (await metric(coordinator, 'coordinator_http_connections')) - before
    await expect.poll(accepted, { timeout: 60_000 }).toBeGreaterThanOrEqual(all.length)
  }
  return all
}

/** Reads an answer to its end, a little at a time. */
async function readSlowly(client: RawClient, endsWith: string): Promise<void> {
  while (!client.closed && !client.tail.endsWith(endsWith)) {
    client.resume()
    await pause(5)
    client.pause()
    await pause(50)
  }
}

describe('clients that read slowly', () => {
  it('200 that ask for large answers and read nothing take bounded memory; others are served, steady ones get everything', async () => {
    await using coordinator = await serving({ nodeArgs })
    const { url } = coordinator
    const { pid, figures } = figuresOf(coordinator)
    const id = await registerLarge(url, 500)
    for (const _ of [1, 2, 3, 4]) expect((await ask(url + list)).body.services).toHaveLength(500)
    const beforeMiB = figures.rssMiB
    const beforeHeldMiB = await heldMiB(coordinator)
    let mostMiB = 0
    await longestTurnMs(coordinator)
    {
      await using watch = new HealthWatch(url, pid)
      using steady = new RawClient(url, list)
      const reading = readSlowly(steady, '"revision":500}')
      using _hostile = clients(200, () => new RawClient(url, list).pause())
      for (const end = performance.now() + 7_000; performance.now() < end; ) {
        expect((await ask(`${url}/services/${id}`)).status).toBe(200)
        expect(await metric(coordinator, 'coordinator_http_unsent_bytes')).toBeLessThan(80 * 1_048_576)
        mostMiB = Math.max(mostMiB, figures.rssMiB)
        await pause(50)
      }
      // There is room again when those who take nothing were cut off.
      const refusals = new Set<string>()
      const askAgain = async () => {
        const { status, body, headers } = await ask(url + list)
        if (status !== 200) refusals.add(`${status} ${body.code} ${headers.get('retry-after')}`)
        return body.services?.length
      }
      await expect.poll(askAgain, { timeout: 90_000 }).toBe(500)
      expect([...refusals].filter((refusal) => refusal !== '503 COORD_ANSWERS_WAITING 5')).toEqual([])
      expect(await metric(coordinator, 'coordinator_http_clients_cut_total')).toBeGreaterThan(0)
      await reading
      expect(steady.bytes).toBe(steady.head.indexOf('\r\n\r\n') + 4 + (steady.contentLength as number))
      expect(watch.failures).toBe(0)
      expect(await longestTurnMs(coordinator)).toBeLessThan(longestMs)
    }
    // 64 MiB that wait, a quarter more for what cannot wait, what is being made, and garbage.
    expect(mostMiB - beforeMiB).toBeLessThan(200)
    // What the process holds of the operating system's memory may stay with V8, for what comes next.
    await ask(url + list)
    expect((await heldMiB(coordinator)) - beforeHeldMiB).toBeLessThan(40)
    expect(await metric(coordinator, 'coordinator_http_unsent_bytes')).toBe(0)
  })

  it('3,000 that wait for a change of 200 KB get it, and keep nobody waiting', async () => {
    // On a busy machine the last of thousands of requests that come together begin to wait, or are answered, after more than 10 s.
    await using coordinator = await serving({ nodeArgs, env: { QUESTION_TIMEOUT_MS: '60000' } })
    const { url } = coordinator
    const { pid, figures } = figuresOf(coordinator)
    const large = registration('large', { migrationFile: { fill: 'x'.repeat(200_000) } })
    {
      // Code that has run before, and memory that 3,000 connections take by themselves.
      using first = new RawClient(url, '/changes?wait=60')
      await pause(100)
      await ask(`${url}/register`, 'POST', registration('first'))
      await expect.poll(() => first.status).toBe(200)
    }
    using waiting = await connectAll(
      coordinator,
      3_000,
      (at) => new RawClient(url, `/changes?wait=60&name=large&name=${at}`),
    )
    using streams = clients(200, () => new RawClient(url, '/changes', { accept: 'text/event-stream' }))
    const connected = () => streams.filter(({ status }) => status === 200).length
    await expect.poll(connected, { timeout: 60_000 }).toBe(200)
    // Answered after all requests that came before it.
    await ask(`${url}/changes?after=1`)
    await longestTurnMs(coordinator)
    const beforeMiB = figures.rssMiB
    let mostMiB = 0
    await using watch = new HealthWatch(url, pid)
    await expect.poll(() => watch.answers, { timeout: 60_000 }).toBeGreaterThan(3)
    expect((await ask(`${url}/register`, 'POST', large)).status).toBe(201)
    const externalMiB = async () => (await metric(coordinator, 'nodejs_external_memory_bytes')) / 1_048_576
    const beforeExternalMiB = await externalMiB()
    let mostExternalMiB = 0
    const answered = async () => {
      mostMiB = Math.max(mostMiB, figures.rssMiB)
      mostExternalMiB = Math.max(mostExternalMiB, await externalMiB())
      return waiting.filter(({ bytes, tail }) => bytes > 200_000 && tail.endsWith('"revision":2}')).length
    }
    await expect.poll(answered, { timeout: 120_000, interval: 100 }).toBe(3_000)
    const streamed = () => streams.filter(({ bytes }) => bytes > 200_000).length
    await expect.poll(streamed, { timeout: 60_000 }).toBe(200)
    expect(watch.failures).toBe(0)
    expect(await longestTurnMs(coordinator)).toBeLessThan(longestMs)
    // One copy for each would be 600 MB.
    expect(mostMiB - beforeMiB).toBeLessThan(100)
    // V8 collects garbage without an end where much memory is allocated, even if nothing ever uses it.
    expect(mostExternalMiB - beforeExternalMiB).toBeLessThan(32)
  })
})
