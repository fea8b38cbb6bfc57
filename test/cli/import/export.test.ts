import { existsSync } from 'node:fs'
import { lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, registration, type Serving, scratchFolder, serving } from '../../main/coordinator-process.ts'
import { runInProcess } from '../run-in-process.ts'
import { withAnswers } from '../with-answers.ts'
import { recordsOf, runAt } from './import-into.ts'

let coordinator: Serving
let folder: Awaited<ReturnType<typeof scratchFolder>>
beforeAll(async () => {
  ;[coordinator, folder] = await Promise.all([serving(), scratchFolder()])
  const put = (path: string, body: object) => ask(`${coordinator.url}/knowledge-graph/${path}`, 'PUT', body)
  await ask(`${coordinator.url}/register/batch`, 'POST', [
    registration('cart'),
    registration('cart', { namespace: 'shop', dependencies: ['db'] }),
    registration('mail', { namespace: 'office', metadata: { 'coordinator.source': 'kept' } }),
  ])
  await put('nodes/team:payments', { label: 'Payments' })
  await put('nodes/team:@shop:web', { properties: { a: 1 } })
  await put('edges/team:payments,owns,service:@shop:cart', {})
  await put('edges/team:payments,owns,service:cart,observed', {})
})
afterAll(async () => {
  await coordinator[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const idsOf = (text: string) =>
  linesOf(text).flatMap(({ kind, id, data }) =>
    kind === undefined
      ? []
      : kind === 'service'
        ? [`${data.namespace ?? 'default'}/${data.serviceName}`]
        : [id],
  )

describe('coordinator export', () => {
  it('writes everything to standard output, as import takes it, and says how much that was', async () => {
    const { code, stdout, stderr } = await runAt(coordinator, ['export'])
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Wrote 3 services, 2 nodes and 2 edges of revision 7.\n',
    })
    expect(linesOf(stdout)[0]).toMatchObject({ records: 7, position: { revision: 7 } })
    await using other = await serving()
    expect(await runAt(other, ['import', '-'], stdout)).toEqual({
      code: 0,
      stdout: '3 services, 2 nodes and 2 edges: 7 new, 0 changed, 0 unchanged, 0 failed\n',
      stderr: expect.stringContaining('"db"'),
    })
    expect(await recordsOf(other)).toEqual(await recordsOf(coordinator))
    expect((await runAt(other, ['import', '-'], stdout)).stdout).toContain('7 unchanged')
  })

  it('writes a file in one step, and leaves nothing else in the folder', async () => {
    const path = join(folder.path, 'records.jsonl')
    await writeFile(path, 'the old one')
    expect(await runAt(coordinator, ['export', '--file', path])).toEqual({
      code: 0,
      stdout: '',
      stderr: `Wrote 3 services, 2 nodes and 2 edges of revision 7 to ${path}.\n`,
    })
    expect(linesOf(await readFile(path, 'utf8'))).toHaveLength(8)
    expect(await readdir(folder.path)).toEqual(['records.jsonl'])
  })

  it('replaces no link that leads nowhere but to itself', async () => {
    const path = join(folder.path, 'loop')
    await symlink(path, path)
    const { code, stderr } = await runAt(coordinator, ['export', '--file', path])
    expect({ code, stderr }).toEqual({ code: 74, stderr: expect.stringContaining('(ELOOP)') })
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
    await rm(path)
  })

  it('of one namespace has its services and nodes, and the edges at them, and tells a cut file', async () => {
    const { stdout } = await runAt(coordinator, ['export', '--namespace', 'shop'])
    expect(idsOf(stdout)).toEqual([
      'team:payments,owns,service:@shop:cart,asserted',
      'team:@shop:web',
      'shop/cart',
    ])
    await using other = await serving()
    expect(await runAt(other, ['import', '-'], stdout)).toMatchObject({ code: 0 })
    expect((await recordsOf(other)).length).toBe(3)
    const lines = stdout.trimEnd().split('\n')
    const cut = [...lines.slice(0, 2), lines.at(-1)].join('\n')
    expect(await runAt(other, ['import', '-'], cut)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('1 of 3 records'),
    })
  })

  it('takes COORDINATOR_NAMESPACE for the namespace, unless --all-namespaces is given, and --output for --file', async () => {
    const env = { COORDINATOR_URL: coordinator.url, COORDINATOR_NAMESPACE: 'office' }
    expect(idsOf((await runInProcess(['export'], { env })).stdout)).toEqual(['office/mail'])
    expect(idsOf((await runInProcess(['export', '-A'], { env })).stdout)).toHaveLength(7)
    const path = join(folder.path, 'output.jsonl')
    await runInProcess(['export', '--output', path], { env })
    expect(idsOf(await readFile(path, 'utf8'))).toEqual(['office/mail'])
    await rm(path)
    await using other = await serving()
    const here = { COORDINATOR_URL: other.url, COORDINATOR_NAMESPACE: 'lab' }
    const input = JSON.stringify([registration('free'), registration('bound', { namespace: 'default' })])
    await runInProcess(['import', '-'], { env: here, input })
    await runInProcess(['import', '-'], { env: here, input: (await runAt(coordinator, ['export'])).stdout })
    expect(
      idsOf((await runAt(other, ['export'])).stdout)
        .filter((id) => id.includes('/'))
        .sort(),
    ).toEqual(['default/bound', 'default/cart', 'lab/free', 'office/mail', 'shop/cart'])
  })

  it('into another namespace keeps the system together', async () => {
    const { stdout } = await runAt(coordinator, ['export', '--namespace', 'shop'])
    await using other = await serving()
    await runAt(other, ['import', '--namespace', 'copy', '-'], stdout)
    const exported = await runAt(other, ['export'])
    expect(idsOf(exported.stdout)).toEqual([
      'team:@copy:payments,owns,service:@copy:cart,asserted',
      'team:@copy:web',
      'copy/cart',
    ])
  })

  it.each([
    ['a folder that does not exist', 'absent/records.jsonl', /cannot be written \(ENOENT\)/],
    ['a folder in place of the file', 'taken', /cannot be written \((EISDIR|ENOTDIR)\)/],
  ])('ends with 74 for %s', async (_what, name, said) => {
    await mkdir(join(folder.path, 'taken'), { recursive: true })
    const { code, stderr } = await runAt(coordinator, ['export', '--file', join(folder.path, name)])
    expect({ code, stderr }).toEqual({ code: 74, stderr: expect.stringMatching(said) })
  })

  it.each([
    ['sends fewer records than it promised', '{"position":{"lineage":"x","revision":1},"records":3}\n'],
    ['is no coordinator', '<h1>hello</h1>'],
  ])('keeps the old file, and ends with 69, if the server %s', async (_what, text) => {
    const path = join(folder.path, 'kept.jsonl')
    await writeFile(path, 'the old one')
    await withAnswers(
      (_request, response) => response.end(text),
      async (url) => {
        const { code, stderr } = await runAt({ url }, ['export', '--file', path])
        expect({ code, stderr }).toEqual({
          code: 69,
          stderr: expect.stringContaining('COORD_CLI_UNREACHABLE'),
        })
      },
    )
    expect(await readFile(path, 'utf8')).toBe('the old one')
    expect((await readdir(folder.path)).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('asks with the scope read: a credential without it ends with 77, and writes nothing', async () => {
    const path = join(folder.path, 'refused.jsonl')
    await withAnswers(
      (_request, response) =>
        response
          .writeHead(403, { 'content-type': 'application/json' })
          .end(JSON.stringify({ code: 'COORD_SCOPE_MISSING', detail: 'needs read' })),
      async (url) => {
        expect(await runAt({ url }, ['export', '--file', path])).toMatchObject({ code: 77 })
      },
    )
    expect(existsSync(path)).toBe(false)
  })
})
