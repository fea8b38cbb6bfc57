import { describe, expect, it } from 'vitest'
import { CoordinatorProcess, scratchFolder } from './coordinator-process.ts'

/** The middle one of an odd number of figures. */
function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] as number
}

/** From the start of the process to the first answer, in milliseconds, and its resident memory at rest, in MiB. */
async function measureStart(env: Record<string, string>): Promise<{ startMs: number; residentMiB: number }> {
  const started = performance.now()
  const coordinator = new CoordinatorProcess(['serve'], { env: { PORT: '0', LOG_FORMAT: 'json', ...env } })
  try {
    const [, url] = await coordinator.wrote(/listening on (http:[^"\s]+)/)
    let answer = await fetch(`${url}/services`)
    while (answer.status === 503) answer = await fetch(`${url}/services`)
    const startMs = performance.now() - started
    expect(answer.status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const metrics = await (await fetch(`${url}/metrics`)).text()
    return {
      startMs,
      residentMiB: Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]) / 2 ** 20,
    }
  } finally {
    coordinator.kill('SIGKILL')
    await coordinator.ended
  }
}

describe('coordinator serve: start', () => {
  it.each(['memory', 'sqlite'])('%s: answers within a second, and rests below 150 MiB', async (backend) => {
    await using folder = await scratchFolder()
    const env = backend === 'memory' ? {} : { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    const runs = []
    for (let run = 0; run < 3; run += 1) runs.push(await measureStart(env as Record<string, string>))
    const startMs = median(runs.map((run) => run.startMs))
    const residentMiB = median(runs.map((run) => run.residentMiB))
    console.log(
      `${backend}: first answer after ${startMs.toFixed(0)} ms, ${residentMiB.toFixed(0)} MiB at rest`,
    )
    expect(startMs).toBeLessThan(1_000)
    expect(residentMiB).toBeLessThan(150)
  })
})
