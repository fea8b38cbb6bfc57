import { expect, it } from 'vitest'
import { ask, CoordinatorProcess } from '../main/coordinator-process.ts'
import { dearness } from '../support/dearness.ts'
import { ProcessFigures } from './process-figures.ts'
import { clients, RawClient } from './raw-client.ts'

const count = 2_000
const headers = { accept: 'text/event-stream' }

it('streams that wait for a database that is not there cost little, and leave nothing behind', async () => {
  // Nothing listens there.
  const env = { PORT: '0', LOG_FORMAT: 'json', DATABASE_URL: 'postgres://x@127.0.0.1:1/x?sslmode=disable' }
  const coordinator = new CoordinatorProcess(['serve'], { env, timeoutMs: 120_000 })
  try {
    const [, url = ''] = await coordinator.wrote(/listening on (http:[^"\s]+)/)
    const figures = new ProcessFigures(coordinator.child.pid as number)
    const streams = async () =>
      Number(/^coordinator_http_streams (\d+)$/m.exec((await ask(`${url}/metrics`)).body)?.[1])
    expect(await streams()).toBe(0)
    const [rssBefore, cpuBefore] = [figures.rssMiB, figures.cpuMs]
    {
      using all = clients(count, () => new RawClient(url, '/changes?after=0', headers))
      await expect.poll(streams, { timeout: 60_000 }).toBe(count)
      await expect
        .poll(() => all.every(({ tail }) => tail.includes(': waiting, ')), { timeout: 60_000 })
        .toBe(true)
      expect(all.every(({ status }) => status === 200)).toBe(true)
      const kib = ((figures.rssMiB - rssBefore) * 1_024) / count
      const ms = (figures.cpuMs - cpuBefore) / count
      console.log(`a stream that waits takes ${kib.toFixed(0)} KiB, and ${ms.toFixed(1)} ms to open`)
      // A connection alone takes more than half of that.
      expect(kib).toBeLessThan(128)
      expect(ms).toBeLessThan(5 * dearness())
    }
    await expect.poll(streams).toBe(0)
    expect(coordinator.output).not.toContain('MaxListenersExceededWarning')
  } finally {
    coordinator.kill('SIGKILL')
    await coordinator.ended
  }
}, 180_000)
