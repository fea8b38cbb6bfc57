import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
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
    const { child } = (await serving()).process
    const exit = once(child, 'exit')
    child.disconnect()
    expect(await exit).toEqual([null, 'SIGKILL'])
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
