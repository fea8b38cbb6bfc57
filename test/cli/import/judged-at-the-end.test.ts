import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, registration, type Serving, scratchFolder, serving } from '../../main/coordinator-process.ts'
import { linesFile, runAt } from './import-into.ts'

let coordinator: Serving
let folder: Awaited<ReturnType<typeof scratchFolder>>
beforeEach(async () => {
  ;[coordinator, folder] = await Promise.all([serving(), scratchFolder()])
})
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const importLines = async (values: readonly unknown[], ...more: string[]) => {
  const file = await linesFile(folder.path, 'services.jsonl', values)
  return runAt(coordinator, ['import', ...more, file])
}

describe('coordinator import: warnings are judged once the file is all in', () => {
  it('600 services that depend on later ones: no warning', async () => {
    const services = Array.from({ length: 600 }, (_, at) =>
      registration(`s${at}`, {
        dependencies: at === 599 ? [] : [`s${at + 1}`, { serviceName: 's599', version: '^1' }],
      }),
    )
    expect(await importLines(services)).toEqual({
      code: 0,
      stdout: '600 services: 600 new, 0 changed, 0 unchanged, 0 failed\n',
      stderr: '',
    })
  })

  it('names what nobody has registered, and the command that lists it', async () => {
    const services = Array.from({ length: 600 }, (_, at) =>
      registration(`s${at}`, { dependencies: ['nobody', `s${(at + 1) % 300}`] }),
    )
    const { code, stderr } = await importLines(services)
    expect(code).toBe(0)
    const lines = stderr.trimEnd().split('\n')
    expect(lines.slice(0, 4)).toEqual([
      ...[1, 2, 3].map(
        (line) =>
          expect.stringMatching(
            new RegExp(`^line ${line} \\(s${line - 1}\\): warning: .*"nobody".* \\[unknown_dependency\\]$`),
          ) as string,
      ),
      expect.stringMatching(/^line \d+ \(s\d+\): warning: .* \[dependency_cycle\]$/),
    ])
    expect(lines.slice(4)).toEqual([
      'and 597 more warnings of this kind [unknown_dependency]',
      'Next: coordinator graph cycles',
      'Next: coordinator graph unresolved',
    ])
  })

  it('warns of a cycle once, and not of one that a later line of the file has broken', async () => {
    const stay = [
      registration('a', { dependencies: ['b'] }),
      registration('b', { dependencies: ['c'] }),
      registration('c', { dependencies: ['a'] }),
    ]
    const broken = [
      registration('x', { dependencies: ['y'] }),
      registration('y', { dependencies: ['x'] }),
      // Larger than one request, so that the first ones are judged before.
      ...Array.from({ length: 500 }, (_, at) => registration(`filler-${at}`)),
      registration('y'),
    ]
    const { stderr } = await importLines([...stay, ...broken])
    expect(stderr).toMatch(
      /^line 1 \(a\): warning: .* \[dependency_cycle\]\nNext: coordinator graph cycles\n$/,
    )
  })

  it('judges the ends of edges at the end, too: an export has its edges first', async () => {
    await ask(`${coordinator.url}/knowledge-graph/nodes/team:payments`, 'PUT', { label: 'Payments' })
    await ask(`${coordinator.url}/knowledge-graph/edges/team:payments,owns,service:cart`, 'PUT', {})
    await ask(`${coordinator.url}/knowledge-graph/edges/team:payments,reads,table:carts`, 'PUT', {})
    const cart = registration('cart', { migrationFile: { tables: ['carts'] } })
    await ask(`${coordinator.url}/register`, 'POST', cart)
    const exported = await runAt(coordinator, ['export'])
    await using other = await serving()
    expect(await runAt(other, ['import', '-'], exported.stdout)).toEqual({
      code: 0,
      stdout: '1 service, 1 node and 2 edges: 4 new, 0 changed, 0 unchanged, 0 failed\n',
      stderr: '',
    })
  })

  it('knows namespaces: a service of another one is not the missing one', async () => {
    const { stderr } = await importLines([
      registration('web', {
        namespace: 'shop',
        dependencies: ['db', { serviceName: 'mail', namespace: 'office' }],
      }),
      registration('db'),
      registration('mail', { namespace: 'office' }),
    ])
    expect(stderr).toMatch(/^line 1 \(web\): warning: .*"db".* \[unknown_dependency\]\nNext: .*unresolved\n$/)
  })

  it('has the warnings and the next commands in its JSON', async () => {
    const { stdout, stderr } = await importLines(
      [
        registration('a', { dependencies: ['b'] }),
        registration('b', { dependencies: ['a', 'gone'], extra: 1 }),
      ],
      '--json',
    )
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ total: 2, new: 2, failed: 0, warningsTotal: 3 },
      warnings: [
        { place: 'line 2', name: 'b', code: 'unknown_field', path: '/extra' },
        { place: 'line 2', name: 'b', code: 'unknown_dependency', path: '/dependencies/1' },
        { place: 'line 1', name: 'a', code: 'dependency_cycle' },
      ],
      next: ['coordinator graph cycles', 'coordinator graph unresolved'],
    })
  })
})
