import { expect, it } from 'vitest'
import { serving } from '../main/coordinator-process.ts'
import { HealthWatch, ProcessFigures } from './process-figures.ts'

it('sees how much a coordinator works and holds, and that it answers in time', async () => {
  await using coordinator = await serving()
  const pid = coordinator.process.child.pid as number
  const figures = new ProcessFigures(pid)
  expect(figures.rssMiB).toBeGreaterThan(30)
  const before = figures.cpuMs
  {
    await using watch = new HealthWatch(coordinator.url, pid)
    await expect.poll(() => watch.answers).toBeGreaterThan(20)
    expect(watch).toMatchObject({ failures: 0 })
    expect(watch.longestMs).toBeGreaterThan(0)
  }
  expect(figures.cpuMs).toBeGreaterThan(before)
})

it('sees when a coordinator does not answer', async () => {
  await using coordinator = await serving()
  await using watch = new HealthWatch(coordinator.url, coordinator.process.child.pid as number)
  await expect.poll(() => watch.answers).toBeGreaterThan(2)
  await coordinator.stop('SIGKILL')
  await expect.poll(() => watch.failures).toBeGreaterThan(0)
})

it('tells that a process is gone, and a watch counts that as questions without an answer', async () => {
  await using coordinator = await serving()
  const pid = coordinator.process.child.pid as number
  await using watch = new HealthWatch(coordinator.url, pid)
  await expect.poll(() => watch.answers).toBeGreaterThan(2)
  await coordinator.stop('SIGKILL')
  await expect.poll(() => watch.failures).toBeGreaterThan(2)
  const figures = new ProcessFigures(pid)
  expect(() => figures.cpuMs).toThrow(`process ${pid} is gone`)
  expect(() => figures.rssMiB).toThrow(`process ${pid} is gone`)
})
