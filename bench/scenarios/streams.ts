import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { spread } from '../compare.ts'
import { coordinator } from '../coordinator-process.ts'
import type { ReadersNews } from '../load/stream-readers.ts'
import type { Row, Scenario } from '../scenario.ts'
import { startServer } from '../server-process.ts'

/** Readers of the journal on one coordinator: how soon a change reaches the last of them, and what they cost. */
export const streams: Scenario = {
  name: 'streams',
  title: 'Readers of the journal',
  async run(options) {
    const rows: Row[] = []
    for (const readers of [1_000, 10_000].filter((count) => count <= options.largest)) {
      // The readers alone would use the default limit of 10,000 connections up.
      const server = await startServer(coordinator({ CONNECTIONS_MAX: String(readers + 100) }))
      const child = fork(new URL('../load/stream-readers.ts', import.meta.url))
      try {
        const before = await residentMib(server.pid)
        child.send({ port: server.port, readers })
        await news(child)
        const memory = (await residentMib(server.pid)) - before
        options.progress(`${readers} readers are connected`)
        const times: number[] = []
        for (let round = 0; round < Math.max(5, options.rounds); round += 1)
          times.push(await oneChange(child, server.port, `round-${round}`))
        const { median, max } = spread(times)
        const count = readers.toLocaleString('en')
        rows.push(
          {
            what: `A change reaches the last of ${count} readers`,
            measured: `${median.toFixed(0)} ms (at most ${max.toFixed(0)} ms)`,
            bar: '<= 1,000 ms',
            aim: '250 ms',
            reached: max <= 1_000,
          },
          {
            what: `Resident memory for ${count} readers`,
            measured: `${memory.toFixed(0)} MiB`,
            bar: '',
            aim: '',
            reached: true,
          },
        )
      } finally {
        child.kill()
        await server.stop()
      }
    }
    return rows
  },
}

/** Registers one service. @returns how long it took until every reader had seen it, in milliseconds */
async function oneChange(child: ChildProcess, port: number, name: string): Promise<number> {
  child.send({ name })
  await news(child)
  const seen = news(child)
  const response = await fetch(`http://127.0.0.1:${port}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ serviceName: name, version: '1.0.0', endpoint: `http://${name}:80` }),
  })
  if (!response.ok) throw new Error(`A registration was answered ${response.status}.`)
  const last = await seen
  if (!('lastMs' in last)) throw new Error('The readers told something else.')
  return last.lastMs
}

async function news(child: ChildProcess): Promise<Exclude<ReadersNews, { error: string }>> {
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(60_000) })) as [ReadersNews]
  if ('error' in message) throw new Error(message.error)
  return message
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
}
