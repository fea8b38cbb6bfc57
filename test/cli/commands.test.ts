import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ask,
  CoordinatorProcess,
  registration,
  runCoordinator,
  type Serving,
  scratchFolder,
  serving,
} from '../main/coordinator-process.ts'
import { runInProcess } from './run-in-process.ts'

let coordinator: Serving
beforeAll(async () => {
  coordinator = await serving()
})
afterAll(() => coordinator[Symbol.asyncDispose]())

const run = (args: readonly string[], input?: string) =>
  runCoordinator(args, {
    env: { COORDINATOR_URL: coordinator.url },
    ...(input === undefined ? {} : { input }),
  })

describe('coordinator import', () => {
  it('reads standard input, as JSON Lines', async () => {
    const lines = ['lines-a', 'lines-b'].map((name) => JSON.stringify(registration(name))).join('\n')
    expect(await run(['import', '-'], lines)).toMatchObject({
      code: 0,
      stdout: '2 services: 2 new, 0 changed, 0 unchanged, 0 failed\n',
    })
  })

  it('counts what is changed', async () => {
    await run(['import', '-'], JSON.stringify(registration('changing')))
    const changed = JSON.stringify(registration('changing', { tags: ['x'] }))
    expect((await run(['import', '-'], changed)).stdout).toBe(
      '1 service: 0 new, 1 changed, 0 unchanged, 0 failed\n',
    )
  })

  it('registers the good ones, names each bad one with its place and code, and ends with 1', async () => {
    const list = [
      registration('good-1'),
      registration('bad', { endpoint: 'javascript:alert(1)' }),
      { serviceName: 'half' },
      5,
      registration('good-2'),
    ]
    const { code, stdout, stderr } = await run(['import', '-'], JSON.stringify(list))
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: '5 services: 2 new, 0 changed, 0 unchanged, 3 failed\n',
    })
    expect(stderr).toMatch(/^item 2 \(bad\): .+ \[COORD_ENDPOINT_SCHEME\]$/m)
    expect(stderr).toMatch(/^item 3 \(half\): .+ \[COORD_FIELD_MISSING\]$/m)
    expect(stderr).toMatch(/^item 4: must be an object, not a number \[COORD_BODY_WRONG_TYPE\]$/m)
  })

  it('goes on after a broken line, and names it', async () => {
    const lines = `${JSON.stringify(registration('line-1'))}\n{"serviceName":\n${JSON.stringify(registration('line-3'))}\n`
    const { code, stdout, stderr } = await run(['import', '-'], lines)
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: '3 services: 2 new, 0 changed, 0 unchanged, 1 failed\n',
    })
    expect(stderr).toMatch(/^line 2: is not JSON.* \[COORD_BODY_NOT_JSON\]$/m)
  })

  it('shows warnings, such as for a field that does not exist', async () => {
    const list = JSON.stringify([registration('warned', { tag: ['x'] })])
    const { code, stderr } = await run(['import', '-'], list)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^item 1 \(warned\): warning: .*tags/m)
  })

  it('prints the totals and failures as JSON', async () => {
    const list = JSON.stringify([registration('json'), registration('', {})])
    const { code, stdout } = await run(['import', '-', '--json'], list)
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      total: 2,
      new: 1,
      failed: 1,
      failures: [{ place: 'item 2', code: 'COORD_NAME_EMPTY' }],
    })
  })

  it('takes a file larger than one request', async () => {
    await using folder = await scratchFolder()
    const path = join(folder.path, 'many.jsonl')
    const lines = Array.from({ length: 2_500 }, (_, index) => JSON.stringify(registration(`many-${index}`)))
    await writeFile(path, lines.join('\n'))
    expect((await run(['import', path])).stdout).toBe(
      '2500 services: 2500 new, 0 changed, 0 unchanged, 0 failed\n',
    )
    // As after an interruption: the same command again finishes the work, whatever was done.
    expect((await run(['import', path])).stdout).toBe(
      '2500 services: 0 new, 0 changed, 2500 unchanged, 0 failed\n',
    )
  })

  it('takes over everything from another coordinator', async () => {
    await run(['import', 'examples/data/online-boutique.json'])
    const exported = await run(['services', '--json', '--metadata', 'system=online-boutique'])
    await using other = await serving()
    const { code, stdout, stderr } = await runCoordinator(['import', '-', '--url', other.url], {
      input: exported.stdout,
    })
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '12 services: 12 new, 0 changed, 0 unchanged, 0 failed\n',
    })
    // The one thing that is odd about the system itself, and nothing about fields that only answers have.
    expect(stderr).toMatch(
      /^item \d+ \(frontend\): warning: .*"shoppingassistantservice".* \[\w+\]\nNext: coordinator graph unresolved --url \S+\n$/,
    )
    const ids = (text: string) =>
      JSON.parse(text).services.map(({ serviceId }: { serviceId: string }) => serviceId)
    const there = await runCoordinator(['services', '--json', '--url', other.url])
    expect(ids(there.stdout)).toEqual(ids(exported.stdout))
  })

  it('leaves its name in the history', async () => {
    await run(['import', '-'], JSON.stringify(registration('signed')))
    const { stdout } = await run(['services', '--name', 'signed', '--json'])
    const [{ serviceId }] = JSON.parse(stdout).services
    const { body } = await ask(`${coordinator.url}/services/${serviceId}/history`)
    expect(body.entries[0].actor).toMatch(/^http:127\.0\.0\.1 as cli%3A./)
  })
})

describe('coordinator services', () => {
  it('prints a table, filtered by everything that the API filters by', async () => {
    await run(['import', 'examples/data/opentelemetry-demo.json'])
    const { code, stdout } = await run([
      'services',
      ...['--tag', 'demo', '--tag', 'business', '--metadata', 'system=opentelemetry-demo'],
      ...['--version', '^3', '--name', 'cart', '--status', 'pending_migration', '--health', 'unknown'],
    ])
    expect(code).toBe(0)
    expect(stdout.split('\n').map((line) => line.split(/\s{2,}/))).toEqual([
      ['NAME', 'VERSION', 'HEALTH', 'ENDPOINT', 'TAGS'],
      ['cart', '3.0.0', 'unknown', expect.stringContaining('cart:7070'), 'demo,business'],
      ['1 service'],
      [''],
    ])
  })

  it('says so where nothing matches', async () => {
    expect(await run(['services', '--name', 'nobody'])).toMatchObject({ code: 0, stdout: '0 services\n' })
  })

  it('reads every page', async () => {
    const lines = Array.from({ length: 1_203 }, (_, index) =>
      JSON.stringify(registration(`page-${index}`, { tags: ['paged'] })),
    )
    await run(['import', '-'], lines.join('\n'))
    const { stdout } = await run(['services', '--tag', 'paged', '--json'])
    const { services, total } = JSON.parse(stdout)
    expect(total).toBe(1_203)
    expect(new Set(services.map(({ serviceName }: { serviceName: string }) => serviceName)).size).toBe(1_203)
  })

  it('keeps names with spaces, colons, slashes and emoji', async () => {
    const name = 'a b:c/d?e#f %41 🦊 "日本"'
    await run(['import', '-'], JSON.stringify({ ...registration('x'), serviceName: name }))
    const { stdout } = await run(['services', '--name', name, '--json'])
    expect(JSON.parse(stdout).services).toMatchObject([{ serviceName: name }])
    expect((await run(['services', '--name', name])).stdout).toContain(name)
  })

  it('names the option whose value the coordinator refuses, and ends with 2', async () => {
    const { code, stderr } = await run(['services', '--status', 'sleeping'])
    expect(code).toBe(2)
    expect(stderr).toBe(
      'coordinator: --status must be one of pending_migration, active. Run the command with --help. [COORD_QUERY_INVALID]\n',
    )
  })

  it('shows examples in the help of every command, also of those below a group', async () => {
    const named = (text: string) =>
      [...(text.split('Commands:')[1]?.split('\n\n')[0] ?? '').matchAll(/^ {2}([a-z][\w-]*)/gm)].flatMap(
        ([, name]) => (name === 'help' ? [] : (name as string)),
      )
    // There are too many commands for a process each.
    const commands = named((await runInProcess(['--help'])).stdout).map((name) => [name])
    for (const command of commands) {
      const { stdout } = await runInProcess([...command, '--help'])
      expect(stdout).toContain(`coordinator ${command.join(' ')}`)
      expect(/Examples:\n {2}\S/.test(stdout), command.join(' ')).toBe(true)
      if (command.length === 1) commands.push(...named(stdout).map((name) => [...command, name]))
    }
    expect(commands.map((command) => command.join(' '))).toEqual(
      expect.arrayContaining(['serve', 'migrate verify', 'graph what-if']),
    )
  })

  it('shows no empty defaults in its help', async () => {
    expect((await run(['services', '--help'])).stdout).not.toContain('[]')
  })

  it('does not fail where its reader stops reading', async () => {
    const reading = new CoordinatorProcess(['services', '--json'], {
      env: { COORDINATOR_URL: coordinator.url },
    })
    reading.child.stdout?.destroy()
    expect(await reading.ended).toMatchObject({ code: 0, stdout: '', stderr: '' })
  })
})

describe('coordinator status', () => {
  it('shows health and database in a table', async () => {
    const { code, stdout } = await run(['status'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^coordinator +${coordinator.url}, version \\d`, 'm'))
    expect(stdout).toMatch(/^health +ok, up \d+ (s|min)/m)
    expect(stdout).toMatch(/^ {2}kept in +memory, lost at a restart$/m)
  })

  it('prints JSON', async () => {
    const { stdout } = await run(['status', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      url: coordinator.url,
      health: { status: 'ok', storage: { backend: 'memory', durable: false } },
      database: expect.any(Object),
    })
  })
})

describe('coordinator migrate', () => {
  it('in memory: says that there is nothing to migrate', async () => {
    for (const args of [['migrate'], ['migrate', '--dry-run'], ['migrate', 'status'], ['migrate', 'verify']])
      expect(await runCoordinator(args)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^There is nothing to migrate in memory\. Set DATABASE_URL/),
      })
    expect((await runCoordinator(['migrate', '--json'])).stdout).toBe('null\n')
  })

  it('works where HOST is an address for others and AUTH is not set: it does not listen', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db`, HOST: '0.0.0.0' }
    for (const command of ['migrate', 'doctor', 'after-restore'])
      expect(await runCoordinator([command], { env })).toMatchObject({ code: 0 })
    expect(await runCoordinator(['serve'], { env })).toMatchObject({ code: 78 })
  })

  it('refuses what would be ignored or contradicts itself', async () => {
    await using folder = await scratchFolder()
    const path = `${folder.path}/coordinator.db`
    for (const env of [{}, { DATABASE_URL: `sqlite:${path}` }])
      for (const option of ['--allow-anon', '--forbid-anon'])
        expect(await runCoordinator(['migrate', option], { env })).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/\[COORD_CLI_USAGE\]\n$/),
        })
    expect(existsSync(path)).toBe(false)
    expect((await runCoordinator(['migrate', '--allow-anon', '--forbid-anon'])).code).toBe(2)
    expect((await runCoordinator(['migrate', '--emit', 'supabase', '--dry-run'])).code).toBe(2)
  })

  it('verify without a schema says so, instead of finding nothing to mend', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    expect(await runCoordinator(['migrate', 'verify'], { env })).toMatchObject({
      code: 78,
      stdout: '',
      stderr: expect.stringMatching(/no schema yet.* Run `coordinator migrate`\. \[COORD_SCHEMA_OLD\]\n$/),
    })
  })

  it('names a next step that a command can take where the database does not answer', async () => {
    const env = { DATABASE_URL: 'postgres://a:b@127.0.0.1:9/c' }
    expect(await runCoordinator(['migrate'], { env })).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(
        /Start the database, or correct host and port in DATABASE_URL\. \[\w+\]\n$/,
      ),
    })
  })

  it('on SQLite: shows what is pending, tries it, runs it, and finds nothing to mend', async () => {
    await using folder = await scratchFolder()
    const options = { env: { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` } }
    const migrate = (...args: string[]) => runCoordinator(['migrate', ...args], options)
    expect(await migrate('status')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^0001 .+ pending$/m),
    })
    expect(await migrate('--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/would be at/),
    })
    expect(await migrate('status')).toMatchObject({ code: 1 })
    expect(await migrate()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0001 .+ applied/m) })
    expect(await migrate('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/as it should be/),
    })
    expect(await migrate('verify')).toMatchObject({ code: 0, stdout: 'The schema is as it should be.\n' })
    const { stdout } = await migrate('status', '--json')
    const { current, target } = JSON.parse(stdout)
    expect(current).toBe(target)
    const file = new DatabaseSync(`${folder.path}/coordinator.db`)
    file.exec(`update migrations set checksum = 'other', sql = replace(sql, 'create table', 'create  table')`)
    file.close()
    const difference = /^0001 .+ changed.*ran with another text.*^- create {2}table.*^\+ create table/ms
    expect(await migrate('status')).toMatchObject({ code: 0, stdout: expect.stringMatching(difference) })
  })

  it('for Supabase: prints the migrations as one file, and says where to put it', async () => {
    const { code, stdout, stderr } = await runCoordinator(['migrate', '--emit', 'supabase'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^create schema if not exists/m)
    expect(stderr).toMatch(/supabase db push/)
  })
})

describe('coordinator doctor', () => {
  it('warns of a variable that is not read, as migrate does: the database may be another one than is meant', async () => {
    const env = { SUPABSE_URL: 'https://project.supabase.co' }
    for (const command of ['doctor', 'migrate'])
      expect(await runCoordinator([command], { env })).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/^warning: SUPABSE_URL is not a setting .*SUPABASE_URL/m),
      })
  })

  it('asks whether a database is meant where none is set, instead of saying that all is well', async () => {
    const { code, stdout } = await runCoordinator(['doctor'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^WARN {2}database: No database is set here, .* Is one meant\?\n +Set DATABASE_URL/,
    )
    expect(stdout).toMatch(/\n0 problems, 1 warning\.\n$/)
    expect(JSON.parse((await runCoordinator(['doctor', '--json'])).stdout)).toMatchObject({
      healthy: true,
      findings: [{ check: 'database', state: 'warning' }],
    })
  })
})
