import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, type Serving, scratchFolder, serving } from '../../main/coordinator-process.ts'
import { namesAt, runAt } from './import-into.ts'

let coordinator: Serving
let folder: Awaited<ReturnType<typeof scratchFolder>>
beforeEach(async () => {
  ;[coordinator, folder] = await Promise.all([serving(), scratchFolder()])
})
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const compose = (services: Readonly<Record<string, object>>) => JSON.stringify({ name: 'shop', services })
const many = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`s${at}`, { image: `s:${at}` }]))

async function importText(name: string, text: string, ...more: string[]) {
  const path = join(folder.path, name)
  await writeFile(path, text)
  return runAt(coordinator, ['import', ...more, path])
}

const catalog = `apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart}
spec: {type: service, lifecycle: production, owner: payments}
`

describe('coordinator import of files of other programs', () => {
  it('takes a compose file for what it shows, marks what it brings with its name, and prunes what it lacks', async () => {
    const yaml = `name: shop\nservices:\n  web:\n    image: nginx:1.27\n    depends_on: [db]\n  db:\n    image: postgres:16\n`
    expect(await importText('compose.yml', yaml)).toMatchObject({
      code: 0,
      stdout: '2 services: 2 new, 0 changed, 0 unchanged, 0 failed\n',
    })
    const { body } = await ask(`${coordinator.url}/services?namespace=shop&name=web`)
    expect(body.services[0]).toMatchObject({
      dependencies: ['db'],
      metadata: { 'coordinator.source': expect.stringMatching(/^coordinator-[^/]+\/compose\.yml$/) },
    })
    expect((await importText('compose.yml', yaml)).stdout).toContain('2 unchanged')
    const fewer = await importText(
      'compose.yml',
      'name: shop\nservices:\n  db:\n    image: postgres:17\n',
      '--prune',
      '--force',
      '--dry-run',
    )
    expect(fewer.stdout).toMatch(
      /^changed +service +shop\/db +item 1\nremoved +service +shop\/web 1.27 http:\/\/web:80\n/,
    )
    await importText('many.yml', compose({ ...many, old: { image: 'old:1' } }))
    const { code, stdout, stderr } = await importText('many.yml', compose(many), '--prune')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '9 services: 0 new, 0 changed, 9 unchanged, 0 failed, 1 removed\n',
    })
    expect(stderr).toMatch(/^removing service shop\/old /)
    expect(await namesAt(coordinator)).toEqual(['db', ...Object.keys(many), 'web'])
  })

  it.each([
    ['on one line', (text: string) => text],
    ['on many', (text: string) => JSON.stringify(JSON.parse(text), null, 2)],
  ])('takes one written as JSON, %s', async (_how, written) => {
    const { stdout } = await importText('compose.json', written(compose({ web: { image: 'web:1' } })))
    expect(stdout).toBe('1 service: 1 new, 0 changed, 0 unchanged, 0 failed\n')
  })

  it('asserts the nodes and edges of a catalog, with the mark in their properties', async () => {
    const { code, stdout } = await importText('catalog-info.yaml', catalog, '--source', 'catalog')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/ nodes? and \d+ edges?: \d+ new, 0 changed, 0 unchanged, 0 failed\n$/),
    })
    const graph = JSON.stringify((await ask(`${coordinator.url}/knowledge-graph`)).body)
    expect(graph).toContain('"coordinator.source":"catalog"')
    expect((await importText('catalog-info.yaml', catalog, '--source', 'catalog')).stdout).toContain(
      '0 new, 0 changed',
    )
  })

  it('names what it cannot read, imports the rest, ends with 1, and then removes nothing', async () => {
    await importText('many.yml', compose({ ...many, old: { image: 'old:1' } }), '--source', 'shop')
    const broken = compose({ ...many, odd: 'text' as unknown as object })
    const { code, stdout, stderr } = await importText('many.yml', broken, '--source', 'shop', '--prune')
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: '9 services: 0 new, 0 changed, 9 unchanged, 0 failed, 1 not read\n',
    })
    expect(stderr).toMatch(/^services\.odd: it is not a map \[COORD_CLI_FORMAT\]$/m)
    expect(stderr).toContain('Nothing is removed')
    const shown = await importText('many.yml', broken, '--dry-run', '--json')
    expect(JSON.parse(shown.stdout)).toMatchObject({
      notRead: 1,
      failures: [{ place: 'services.odd', code: 'COORD_CLI_FORMAT' }],
    })
  })

  it('says which kinds of a manifest no import reads, which is no failure and keeps nothing from being removed', async () => {
    const object = (kind: string, name: string, spec: object) =>
      JSON.stringify({ apiVersion: 'v1', kind, metadata: { name }, spec })
    const manifest = (count: number) =>
      [
        '# A manifest',
        ...Array.from({ length: count }, (_, at) => object('Service', `s${at}`, { ports: [{ port: 80 }] })),
        object('Ingress', 'web', { rules: [] }),
      ].join('\n---\n')
    await importText('all.yaml', manifest(10), '--source', 'k8s')
    const { code, stdout, stderr } = await importText('all.yaml', manifest(9), '--source', 'k8s', '--prune')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '9 services: 0 new, 0 changed, 9 unchanged, 0 failed, 1 removed\n',
    })
    expect(stderr).toMatch(/^1 of kind Ingress: not read, /m)
  })

  it('of one that is in none of the formats says which there are, with 74', async () => {
    expect(await importText('notes.txt', 'hello: world\n')).toMatchObject({
      code: 74,
      stderr: expect.stringContaining('--format: compose, kubernetes, backstage'),
    })
    expect((await importText('services.yml', compose(many), '--format', 'swarm')).code).toBe(2)
  })

  it('--namespace wins over the namespace of the file', async () => {
    await importText(
      'compose.json',
      compose({ web: { image: 'web:1', depends_on: ['db'] }, db: { image: 'db:1' } }),
      '-n',
      'lab',
    )
    const { body } = await ask(`${coordinator.url}/knowledge-graph/dependencies?of=service:@lab:web`)
    expect(body.nodes.map(({ id }: { id: string }) => id)).toEqual(['service:@lab:db'])
  })
})
