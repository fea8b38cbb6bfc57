import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, registration, type Serving, scratchFolder, serving } from '../../main/coordinator-process.ts'
import { linesFile, namesAt, recordsOf, runAt } from './import-into.ts'

let coordinator: Serving
let folder: Awaited<ReturnType<typeof scratchFolder>>
beforeEach(async () => {
  ;[coordinator, folder] = await Promise.all([serving(), scratchFolder()])
})
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const services = (count: number, more: Record<string, unknown> = {}) =>
  Array.from({ length: count }, (_, at) => registration(`s${at}`, more))
const importLines = async (values: readonly unknown[], ...more: string[]) =>
  runAt(coordinator, ['import', ...more, await linesFile(folder.path, 'shop.jsonl', values)])
const shop = ['--source', 'shop']
const idOf = async (name: string): Promise<string> =>
  (await ask(`${coordinator.url}/services?name=${name}`)).body.services[0].serviceId

describe('coordinator import --prune', () => {
  it('removes what the source once brought and the file lacks, names it first, and leaves everything else', async () => {
    await importLines(services(10), ...shop)
    await importLines([registration('other')], '--source', 'office')
    await ask(`${coordinator.url}/register`, 'POST', registration('stranger'))
    const { code, stdout, stderr } = await importLines(services(8), ...shop, '--prune')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '8 services: 0 new, 0 changed, 8 unchanged, 0 failed, 2 removed\n',
    })
    expect(stderr).toBe(
      ['s8', 's9'].map((name) => `removing service ${name} 1.0.0 http://${name}:3000\n`).join(''),
    )
    expect(await namesAt(coordinator)).toEqual(
      [...services(8).map(({ serviceName }) => serviceName), 'other', 'stranger'].sort(),
    )
    expect((await importLines(services(8), ...shop, '--prune')).stdout).toContain('0 removed')
  })

  it('never removes more than 20 % without --force: 3 of 10 stay all three, and exit code 1 names them', async () => {
    await importLines(services(10), ...shop)
    const refused = await importLines([...services(7), registration('new')], ...shop, '--prune')
    expect(refused.code).toBe(1)
    expect(refused.stdout).toBe('8 services: 1 new, 0 changed, 7 unchanged, 0 failed\n')
    expect(refused.stderr).toMatch(
      /^coordinator: Nothing was removed, .* lacks 3 of 10 \(service s7 .*, service s8 .*, service s9 .*\)\. .*--force\. \[COORD_CLI_PRUNE_LIMIT\]\n$/,
    )
    expect(await namesAt(coordinator)).toHaveLength(11)
    const forced = await importLines([...services(7), registration('new')], ...shop, '--prune', '--force')
    expect(forced).toMatchObject({ code: 0, stdout: expect.stringContaining('3 removed') })
    expect(await namesAt(coordinator)).toHaveLength(8)
  })

  it('counts against what the source had before, not against what the file adds', async () => {
    await importLines(services(10), ...shop)
    const added = Array.from({ length: 100 }, (_, at) => registration(`new-${at}`))
    expect((await importLines(added, ...shop, '--prune')).code).toBe(1)
    expect(await namesAt(coordinator)).toHaveLength(110)
  })

  it('an empty file removes nothing', async () => {
    await importLines(services(10), ...shop)
    const { code, stderr } = await runAt(coordinator, ['import', ...shop, '--prune', '-'], '[]')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('lacks 10 of 10') })
    expect(await namesAt(coordinator)).toHaveLength(10)
  })

  it('never removes what has registered itself since, sent its second stage, sends heartbeats, or was written by others', async () => {
    await importLines(services(20), ...shop)
    await ask(`${coordinator.url}/register`, 'POST', registration('s19', { description: 'it is me' }))
    await ask(`${coordinator.url}/register/${await idOf('s18')}/migration`, 'POST', { migrationFile: {} })
    await ask(`${coordinator.url}/services/${await idOf('s17')}/heartbeat`, 'PUT', {})
    const copied = registration('s16', { metadata: { 'coordinator.source': 'shop' }, tags: ['x'] })
    await ask(`${coordinator.url}/register`, 'POST', copied)
    const { code, stdout, stderr } = await importLines(services(15), ...shop, '--prune', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      removed: [{ kind: 'service', name: 's15 1.0.0 http://s15:3000' }],
      kept: [
        { name: expect.stringMatching(/^s16 /), why: 'it was last written by http:127.0.0.1' },
        { name: expect.stringMatching(/^s17 /), why: 'it sends heartbeats' },
        { name: expect.stringMatching(/^s18 /), why: 'it was last written by http:127.0.0.1' },
      ],
    })
    expect(stderr).toContain('keeping service s17')
    expect(await namesAt(coordinator)).toHaveLength(19)
  })

  it('removes nothing if a part of the file could not be imported', async () => {
    await importLines(services(10), ...shop)
    const { code, stderr } = await importLines([...services(9), { serviceName: 's9' }], ...shop, '--prune')
    expect(code).toBe(1)
    expect(stderr).toContain('Nothing is removed, because a part of the file could not be imported.')
    expect(await namesAt(coordinator)).toHaveLength(10)
  })

  it('takes back assertions of the source, and edges before nodes', async () => {
    const node = (id: string) => ({ kind: 'node', id, data: { id, label: id } })
    const edge = { source: 'team:gone', type: 'owns', target: 'service:s0', origin: 'asserted' }
    const records = [
      ...services(8).map((data, at) => ({ kind: 'service', id: `${at}`, data })),
      node('team:stays'),
    ]
    const gone = [node('team:gone'), { kind: 'edge', id: 'x', data: edge }]
    await importLines([...records, ...gone], ...shop)
    const { code, stderr } = await importLines(records, ...shop, '--prune')
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'removing edge team:gone,owns,service:s0,asserted\nremoving node team:gone\n',
    })
    const { body } = await ask(`${coordinator.url}/knowledge-graph`)
    expect(JSON.stringify(body)).toContain('team:stays')
    expect(JSON.stringify(body)).not.toContain('team:gone')
  })

  it('looks only at the namespaces of the file, or at that of --namespace', async () => {
    await importLines(services(10), ...shop)
    for (const namespace of ['test', 'live'])
      await importLines(services(10), ...shop, '--namespace', namespace)
    for (const args of [['--namespace', 'live'], []])
      expect((await importLines(services(9), ...shop, ...args, '--prune')).stdout).toContain('1 removed')
    const totals = ['default', 'test', 'live'].map(async (namespace) => {
      const { body } = await ask(`${coordinator.url}/services?namespace=${namespace}`)
      return body.total
    })
    expect(await Promise.all(totals)).toEqual([9, 10, 9])
  })

  it('has a source of its own without --source, but not on standard input', async () => {
    const file = await linesFile(folder.path, 'own.jsonl', services(10))
    await runAt(coordinator, ['import', '--prune', file])
    await linesFile(folder.path, 'own.jsonl', services(9))
    expect((await runAt(coordinator, ['import', '--prune', file])).stdout).toContain('1 removed')
    expect(await runAt(coordinator, ['import', '--prune', '-'], '[]')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--source'),
    })
    expect(await runAt(coordinator, ['import', '--force', file])).toMatchObject({ code: 2 })
  })
})

describe('coordinator import --dry-run', () => {
  it('shows what is new, changed, unchanged, removed, and what cannot be read, and writes nothing', async () => {
    await importLines(services(10), ...shop)
    await ask(`${coordinator.url}/register/${await idOf('s0')}/migration`, 'POST', { migrationFile: {} })
    const before = await recordsOf(coordinator)
    const file = [
      ...services(8),
      registration('s8', { tags: ['changed'] }),
      registration('fresh'),
      registration('fresh'),
      { kind: 'node', id: 'team:a', data: { id: 'team:a' } },
      { serviceName: 'half' },
    ]
    const { code, stdout, stderr } = await importLines(file, ...shop, '--dry-run')
    expect(code).toBe(1)
    expect(stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'changed service s8 line 9',
      'new service fresh line 10',
      'new node team:a line 12',
      'Would import 12 services and 1 node: 2 new, 1 changed, 9 unchanged, 1 failed. Nothing was written.',
      '',
    ])
    expect(stderr).toMatch(/^line 13 \(half\): .*COORD_FIELD_MISSING\]\n$/)
    const pruned = await importLines(file.slice(0, -1), ...shop, '--dry-run', '--prune')
    expect(pruned.stdout).toMatch(/^removed +service +s9 1\.0\.0 http:\/\/s9:3000$/m)
    expect(await recordsOf(coordinator)).toEqual(before)
  })

  it('says the same that the import then does', async () => {
    const exported = async () => (await runAt(coordinator, ['export'])).stdout
    await runAt(coordinator, ['import', 'examples/data/opentelemetry-demo.json'])
    await runAt(coordinator, ['import', '--source', 'x', 'examples/data/online-boutique.json'])
    for (const args of [
      ['examples/data/opentelemetry-demo.json'],
      ['examples/data/online-boutique.json'],
      ['--namespace', 'second', 'examples/data/online-boutique.json'],
    ]) {
      const told = JSON.parse((await runAt(coordinator, ['import', '--dry-run', '--json', ...args])).stdout)
      const done = JSON.parse((await runAt(coordinator, ['import', '--json', ...args])).stdout)
      const counts = ({ total, ...rest }: Record<string, unknown>) => [
        total,
        rest['new'],
        rest['changed'],
        rest['unchanged'],
        rest['failed'],
      ]
      expect(counts(told)).toEqual(counts(done))
    }
    expect(
      JSON.parse((await runAt(coordinator, ['import', '--dry-run', '--json', '-'], await exported())).stdout),
    ).toMatchObject({
      ...{ new: 0, changed: 0, unchanged: 52, failed: 0, dryRun: true },
    })
  })

  it('refuses at the limit as the import does', async () => {
    await importLines(services(10), ...shop)
    expect(await importLines(services(5), ...shop, '--dry-run', '--prune')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('COORD_CLI_PRUNE_LIMIT'),
    })
  })
})
