import { expect, it } from 'vitest'
import { ask, registration, serving } from '../main/coordinator-process.ts'
import { ProcessFigures } from './process-figures.ts'

const size = 15_000
const filled = (text: string) => text.repeat(Math.floor(size / text.length))
const requests = 100

it('conditions as long as headers may be cost little, whatever they hold', async () => {
  await using coordinator = await serving()
  const figures = new ProcessFigures(coordinator.process.child.pid as number)
  const { body } = await ask(`${coordinator.url}/register`, 'POST', registration('cart'))
  const path = `${coordinator.url}/services/${body.serviceId}`
  const lineage = (await ask(path)).headers.get('x-coordinator-lineage') as string
  const conditions: [header: string, get: number, put: number][] = [
    [filled('"",'), 412, 412],
    [filled(`W/"${lineage.slice(0, 8)}-1",`), 412, 412],
    [filled(`"${lineage.slice(0, 8)}-2",`), 412, 412],
    [`${filled(' , ')}"x"`, 412, 412],
    [`"x"${filled('\t')}x`, 400, 400],
    [`"${filled('x')}`, 400, 400],
    [filled(','), 400, 400],
    [`${filled('"a",')}"`, 400, 400],
  ]
  const before = figures.cpuMs
  for (const [header, get, put] of conditions) {
    const headers = { 'if-match': header }
    const answers = await Promise.all(
      Array.from({ length: requests }, async () => [
        (await ask(path, 'GET', undefined, headers)).status,
        (await ask(`${coordinator.url}/register`, 'POST', registration('cart'), headers)).status,
        (await ask(path, 'GET', undefined, { 'if-none-match': header })).status,
      ]),
    )
    expect(answers).toEqual(Array.from({ length: requests }, () => [get, put, 200]))
  }
  const each = (figures.cpuMs - before) / (conditions.length * requests * 3)
  console.log(`${each.toFixed(2)} ms of work for each request`)
  expect(each).toBeLessThan(5)
}, 120_000)
