import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { CoordinatorProcess, serving } from './coordinator-process.ts'

/** Whether a process is there. */
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a coordinator that a test starts', () => {
  it('ends when the process of the test does, which closes the channel to it', async () => {
    const coordinator = new CoordinatorProcess(['serve'], { env: { PORT: '0' } })
    await coordinator.wrote(/listening on /)
    const { child } = coordinator
    const exit = once(child, 'exit')
    child.disconnect()
    expect(await exit).toEqual([null, 'SIGKILL'])
  })

  it.each([
    ['SIGKILL', /^process \d+ ended with SIGKILL; the end of its standard error:\n$/],
    ['SIGABRT', /^process \d+ ended with SIGABRT; the end of its standard error:\n$/],
  ] as const)('tells that it ended with %s, where the test did not send that', async (signal, told) => {
    const coordinator = new CoordinatorProcess(['serve'], { env: { PORT: '0' } })
    await coordinator.wrote(/listening on /)
    expect(coordinator.unexpectedEnd).toBeUndefined()
    process.kill(coordinator.child.pid as number, signal)
    await coordinator.ended
    coordinator.kill('SIGTERM')
    expect(coordinator.unexpectedEnd).toMatch(told)
  })

  it('tells its exit code and what it wrote last, where it ended by itself, even if the test kills it meanwhile', async () => {
    const coordinator = new CoordinatorProcess(['serve'], { env: { PORT: 'none' } })
    await expect(coordinator.wrote(/listening on /)).rejects.toThrow(
      /^nothing matched .+; process \d+ ended with exit code 78 in:\n/,
    )
    coordinator.kill('SIGKILL')
    await coordinator.ended
    expect(coordinator.unexpectedEnd).toMatch(
      /^process \d+ ended with exit code 78; the end of its standard error:\ncoordinator: /,
    )
  })

  it('tells that the test itself ended it, because its time was over', async () => {
    const coordinator = new CoordinatorProcess(['serve'], { env: { PORT: '0' }, timeoutMs: 50 })
    expect(await coordinator.ended).toMatchObject({ signal: 'SIGKILL' })
    expect(coordinator.unexpectedEnd).toMatch(/ended with SIGKILL, which the test sent after 50 ms; /)
  })

  it('has ended as it should, where the test stopped it', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const coordinator = new CoordinatorProcess(['serve'], { env: { PORT: '0' } })
      await coordinator.wrote(/listening on /)
      await coordinator.stop(signal)
      expect(coordinator.unexpectedEnd).toBeUndefined()
    }
  })

  it.fails('fails the test in which it ended by itself', async () => {
    const coordinator = await serving()
    process.kill(coordinator.process.child.pid as number, 'SIGABRT')
    await coordinator.process.ended
  })

  it('has as much time as the test', async () => {
    const timer = vi.spyOn(globalThis, 'setTimeout')
    await using coordinator = await serving()
    const delays = timer.mock.calls.map(([, delay]) => delay as number)
    expect(Math.max(...delays)).toBeLessThan(1_000)
    expect(coordinator.process.unexpectedEnd).toBeUndefined()
  })

  it('is not kept alive by that channel', async () => {
    const { code } = await new CoordinatorProcess(['--version']).ended
    expect(code).toBe(0)
  })

  it('is not left alive where it never comes to serve', async () => {
    const before = CoordinatorProcess.prototype.wrote
    let pid = 0
    CoordinatorProcess.prototype.wrote = function (this: CoordinatorProcess) {
      pid = this.child.pid as number
      return Promise.reject(new Error('it did not write that in time'))
    }
    try {
      await expect(serving()).rejects.toThrow('it did not write that in time')
      expect(pid).toBeGreaterThan(0)
      expect(lives(pid)).toBe(false)
    } finally {
      CoordinatorProcess.prototype.wrote = before
    }
  })
})
