import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { GraphProcess } from '../../src/graph/past/graph-process.ts'
import { type CanonicalJson, canonicalJson } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { type Asker, answering, ClientQuestion } from '../../src/scheduling/client-question.ts'
import { ProcessFigures } from '../hostile/process-figures.ts'

const edges = { nodes: 3, from: Int32Array.of(0, 1, 2, -1), to: Int32Array.of(1, 0, 0, 2) }

class LeavingAsker implements Asker {
  readonly client = 'client'
  readonly topic = 'simulate'
  readonly isAnswered = false
  isGone = false
  readonly #left = new Set<() => void>()

  onGone(left: () => void): () => void {
    this.#left.add(left)
    return () => void this.#left.delete(left)
  }

  leave(): void {
    this.isGone = true
    for (const left of this.#left) left()
  }
}

/** Services that all need each other's neighbour, in some version. */
function serviceRecords(count: number): StoredRecord[] {
  return Array.from({ length: count }, (_, at) => {
    const dependencies = Array.from({ length: 8 }, (_, next) => ({
      serviceName: `s-${(at + next) % count}`,
      version: `^${at}.${next}`,
    }))
    const data = canonicalJson({
      serviceName: `s-${at}`,
      version: '1.0.0',
      endpoint: `http://s-${at}/`,
      dependencies,
    })
    return { kind: 'service', id: `id-${at}`, data, revision: at + 1, createdAt: 1, updatedAt: 1 }
  })
}

describe('the helper process', () => {
  it('works on what it was given, until it is told to forget it', async () => {
    const helper = new GraphProcess()
    await helper.run('analyse', { key: 1, edges })
    const components = await helper.run('components', { key: 1 })
    expect(components[0]).toBe(components[1])
    expect(components[2]).not.toBe(components[0])
    expect((await helper.run('criticality', { key: 1 })).direct).toEqual(Int32Array.of(2, 1, 0))
    expect(await helper.run('dependents', { key: 1, nodes: [0, 2] })).toEqual([2, 0])
    await helper.forget(1)
    await expect(helper.run('components', { key: 1 })).rejects.toMatchObject({ code: 'COORD_INTERNAL' })
    await helper.close()
    await expect(helper.run('components', { key: 1 })).rejects.toMatchObject({
      code: 'COORD_SHUTTING_DOWN',
    })
  })

  it('dies alone: what was asked fails, and the next task starts another one', async () => {
    const helper = new GraphProcess()
    await helper.run('analyse', { key: 1, edges })
    const { generation, pid } = helper
    process.kill(pid as number, 'SIGKILL')
    await expect(helper.run('components', { key: 1 })).rejects.toMatchObject({ code: 'COORD_INTERNAL' })
    expect(helper.generation).toBe(generation + 1)
    await helper.run('analyse', { key: 1, edges })
    expect(helper.pid).not.toBe(pid)
    await helper.close()
    expect(helper.pid).toBeUndefined()
  })

  it('outlives the signals of a terminal, and not the coordinator', async () => {
    const helper = new GraphProcess()
    await helper.run('analyse', { key: 1, edges })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(helper.pid as number, signal)
    expect(await helper.run('components', { key: 1 })).toHaveLength(3)
    await helper.close()
  })

  it('drops the tasks of a question that has ended, and stops in the middle of one', async () => {
    const helper = new GraphProcess()
    const records = serviceRecords(2_000)
    for (let from = 0; from < records.length; from += 500)
      await helper.run('put', { key: 1, records: records.slice(from, from + 500) })
    const changes = records.slice(0, 1_000).map((before) => ({ before }))
    const simulate = () => helper.run('simulate', { key: 1, changes })
    const figures = new ProcessFigures(helper.pid as number)
    let before = figures.cpuMs
    await simulate()
    const oneMs = figures.cpuMs - before
    before = figures.cpuMs
    const asker = new LeavingAsker()
    const answers = answering(new ClientQuestion(asker), () => Array.from({ length: 30 }, simulate))
    setTimeout(() => asker.leave(), 10)
    for (const answer of answers)
      await expect(answer).rejects.toMatchObject({ code: 'COORD_QUESTION_ABANDONED' })
    // Others are answered as soon as what was begun has stopped.
    await helper.run('analyse', { key: 2, edges })
    expect(figures.cpuMs - before).toBeLessThan(6 * oneMs + 100)
    await helper.close()
  })

  it('does not keep a process alive that has nothing else to do', async () => {
    const script = `
      const { GraphProcess } = await import('./src/graph/past/graph-process.ts')
      const helper = new GraphProcess()
      await helper.run('forget', { key: 1 })
      console.log(helper.pid)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 60_000,
    })
    const pid = Number(stdout)
    expect(pid).toBeGreaterThan(0)
    // It ends with its channel.
    const gone = () => {
      try {
        process.kill(pid, 0)
        return false
      } catch {
        return true
      }
    }
    for (let waited = 0; !gone() && waited < 100; waited += 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(gone()).toBe(true)
  })

  it('refuses what does not fit beside what it holds, before it dies of it, and works on', async () => {
    const helper = new GraphProcess(64)
    const { generation } = helper
    let parts = 0
    const fill = async () => {
      for (; parts < 40; parts += 1)
        await helper.run('put', { key: 1, records: recordsOf(parts * 8, { count: 8, size: 262_144 }) })
    }
    await expect(fill()).rejects.toMatchObject({
      code: 'COORD_QUESTION_TOO_LARGE',
      detail: expect.stringContaining('64 MiB'),
      hint: expect.stringContaining('heap'),
    })
    expect(parts).toBeGreaterThan(5)
    await helper.forget(1)
    await helper.run('put', { key: 2, records: recordsOf(0, { count: 8, size: 262_144 }) })
    expect(helper.generation).toBe(generation)
    await helper.close()
  })

  it('dies of one task for that task alone: the others are done by the next one', async () => {
    const helper = new GraphProcess(64)
    const work = (key: number) => async () => {
      await helper.run('analyse', { key, edges })
      return helper.run('dependents', { key, nodes: [0, 2] })
    }
    await helper.run('analyse', { key: 1, edges })
    const tooMuch = helper.attempt(() =>
      helper.run('put', { key: 9, records: recordsOf(0, { count: 90, size: 1_048_576 }) }),
    )
    const others = [2, 3, 4].map((key) => helper.attempt(work(key)))
    await expect(tooMuch).rejects.toMatchObject({ code: 'COORD_QUESTION_TOO_LARGE' })
    expect(await Promise.all(others)).toEqual([
      [2, 0],
      [2, 0],
      [2, 0],
    ])
    expect(helper.generation).toBe(1)
    await helper.close()
  })
})

function recordsOf(first: number, { count, size }: { count: number; size: number }): StoredRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const data = JSON.stringify({
      serviceName: `s${first + index}`,
      version: '1.0.0',
      endpoint: `http://s${first + index}`,
      migrationFile: { text: 'm'.repeat(size) },
    }) as CanonicalJson
    return { kind: 'service', id: `${first + index}`, data, revision: 1, createdAt: 1, updatedAt: 1 }
  })
}
