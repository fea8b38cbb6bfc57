import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { cart, type ServerScope, withServer } from '../http/with-server.ts'
import { scratchFolder } from '../main/coordinator-process.ts'
import { runInProcess } from './run-in-process.ts'
import { json, withAnswers } from './with-answers.ts'

const named = (serviceName: string, fields: object = {}) => ({ ...cart, serviceName, ...fields })
const text = (...services: readonly object[]) => JSON.stringify(services)
const importing = ({ url }: ServerScope, input: string, ...args: readonly string[]) =>
  runInProcess(['import', '-', '--url', url, ...args], { input })

describe('coordinator import: options', () => {
  it('--patience is in seconds', async () => {
    let asked = 0
    await withAnswers(
      (_request, response) => {
        asked += 1
        if (asked === 1)
          return json(response, 503, { success: false, code: 'COORD_NOT_LOADED', detail: 'not yet' })
        json(response, 200, { results: [{ success: true, created: true, changed: true }] })
      },
      async (url) => {
        const ran = await runInProcess(['import', '-', '--url', url, '--patience', '5'], {
          input: text(cart),
        })
        expect(ran).toMatchObject({ code: 0, stdout: '1 service: 1 new, 0 changed, 0 unchanged, 0 failed\n' })
        expect(ran.stderr).toBe('waiting 0.3 s: not yet\n')
        // No wait fits into none.
        asked = 0
        const hasty = await runInProcess(['import', '-', '--url', url, '--patience', '0'], {
          input: text(cart),
        })
        expect([hasty.code, hasty.stdout]).toEqual([69, ''])
        expect(hasty.stderr).toContain('not yet')
      },
    )
  })

  it.each(['-1', '86401', 'x', ''])('--patience %j is refused, with 2', async (value) => {
    const { code, stderr } = await runInProcess(['import', '-', `--patience=${value}`])
    expect(code).toBe(2)
    expect(stderr).toContain('It must be a number of seconds, from 0 to 86400.')
  })

  it('shows three warnings of a kind, and counts the others', () =>
    withServer(async (scope) => {
      const many = Array.from({ length: 5 }, (_, at) => named(`s${at}`, { dependencies: [`gone${at}`] }))
      const { code, stdout, stderr } = await importing(scope, text(...many))
      expect([code, stdout]).toEqual([0, '5 services: 5 new, 0 changed, 0 unchanged, 0 failed\n'])
      const lines = stderr.trimEnd().split('\n')
      expect(
        lines.map((line) => /^item \d+ \(s\d\): warning: .* \[unknown_dependency\]$/.test(line)),
      ).toEqual([true, true, true, false, false])
      expect(lines.slice(3)).toEqual([
        'and 2 more warnings of this kind [unknown_dependency]',
        expect.stringMatching(/^Next: coordinator graph unresolved/),
      ])
      const again = await importing(scope, text(...many.slice(0, 3)))
      expect(again.stderr).not.toContain('more warnings')
      // Nothing new is no failure.
      expect([again.code, again.stdout]).toEqual([0, '3 services: 0 new, 0 changed, 3 unchanged, 0 failed\n'])
    }))

  it('ends with 1 where one of many failed, and names it by its place and its name', () =>
    withServer(async (scope) => {
      const input = text(named('good'), named('bad', { version: 1 }))
      const { code, stdout, stderr } = await importing(scope, input)
      expect([code, stdout]).toEqual([1, '2 services: 1 new, 0 changed, 0 unchanged, 1 failed\n'])
      expect(stderr).toBe('item 2 (bad): /version: must be a string, not a number [COORD_BODY_WRONG_TYPE]\n')
      const printed = await importing(scope, input, '--json')
      expect(printed.stderr).toBe('')
      expect(JSON.parse(printed.stdout)).toEqual({
        ...{ total: 2, new: 0, changed: 0, unchanged: 1, failed: 1, notRead: 0 },
        failures: [
          {
            place: 'item 2',
            name: 'bad',
            code: 'COORD_BODY_WRONG_TYPE',
            reason: '/version: must be a string, not a number',
          },
        ],
        ...{ warnings: [], warningsTotal: 0, next: [] },
      })
    }))

  it('reads JSON Lines that begin with a byte order mark', () =>
    withServer(async (scope) => {
      const lines = `\ufeff${JSON.stringify(named('a'))}\n\n${JSON.stringify(named('b'))}`
      expect((await importing(scope, lines)).stdout).toBe(
        '2 services: 2 new, 0 changed, 0 unchanged, 0 failed\n',
      )
    }))

  it('notes the user as the author', () =>
    withServer(async (scope) => {
      await importing(scope, text(cart))
      const { body } = await scope.ask('/changes?after=0')
      expect(body.entries[0].actor).toMatch(/^http:127\.0\.0\.1 as cli%3A[^/\s]+$/)
    }))
})

describe('coordinator graph what-if: options', () => {
  it('splits at the last equals sign: a name may hold one', () =>
    withServer(async (scope) => {
      await scope.ask('/register', { json: named('a=b') })
      await scope.ask('/register', {
        json: named('c', { dependencies: [{ serviceName: 'a=b', version: '^1' }] }),
      })
      const whatIf = (...args: string[]) => runInProcess(['graph', 'what-if', '--url', scope.url, ...args])
      expect(await whatIf('--version', 'a=b=1.9.0')).toMatchObject({ code: 0 })
      const broken = await whatIf('--version', 'a=b=2.0.0')
      expect(broken.code).toBe(1)
      expect(broken.stdout).toContain('service:a%3Db ^1: there would be 2.0.0')
      expect((await whatIf('--version', '=1.0.0')).code).toBe(2)
      const both = await whatIf('--remove', 'c', '--remove', 'a=b', '--json')
      expect([both.code, JSON.parse(both.stdout).safe]).toEqual([0, true])
    }))

  it('questions carry every option to the coordinator', () =>
    withServer(async (scope) => {
      await scope.ask('/register', { json: named('a', { dependencies: ['b', 'c'] }) })
      await scope.ask('/register', { json: named('b', { dependencies: ['d'] }) })
      const ask = async (...args: string[]) =>
        (await runInProcess(['graph', ...args, '--url', scope.url])).stdout
      expect(await ask('dependencies', 'a', '--depth', '1')).toMatch(
        /^service:a cannot do without 2 nodes within depth 1,/,
      )
      expect(await ask('dependencies', 'a', '--limit', '1')).toContain('ask with a larger --limit')
      expect(await ask('dependencies', 'a', '--as-of', '1')).toMatch(/ 2 nodes, at revision 1\./)
      expect(await ask('neighbors', 'a', '--type', 'depends_on')).toMatch(/^2 edges at service:a,/)
      expect(await ask('path', 'a', 'd', '--depth', '1')).toContain('does not need')
      expect(await ask('diff', '1', '2', '--limit', '1')).toMatch(
        /^2 nodes and 1 edge differ between revision 1 and 2\./,
      )
      expect(await ask('export', '--format', 'ndjson', '--around', 'b', '--depth', '0')).toMatch(/"nodes":1,/)
      expect(await ask('export', '--format', 'ndjson', '--as-of', '1')).toMatch(/"revision":1,/)
    }))
})

describe('coordinator services: options', () => {
  it('carries every filter to the coordinator', () =>
    withServer(async (scope) => {
      for (const [serviceName, fields] of [
        ['a', { tags: ['x', 'y'], metadata: { k: 'a=b' }, version: '2.1.0' }],
        ['b', { tags: ['x'], capabilities: ['pay', 'refund'] }],
        ['c', { migrationFile: {} }],
      ] as const)
        await scope.ask('/register', { json: named(serviceName, fields) })
      const names = async (...args: string[]) => {
        const { stdout } = await runInProcess(['services', '--json', '--url', scope.url, ...args])
        return JSON.parse(stdout).services.map(({ serviceName }: { serviceName: string }) => serviceName)
      }
      expect(await names()).toEqual(['a', 'b', 'c'])
      expect(await names('--name', 'b')).toEqual(['b'])
      expect(await names('--version', '^2')).toEqual(['a'])
      expect(await names('--tag', 'x', '--tag', 'y')).toEqual(['a'])
      expect(await names('--capability', 'pay', '--capability', 'refund')).toEqual(['b'])
      expect(await names('--status', 'active')).toEqual(['c'])
      expect(await names('--health', 'up')).toEqual([])
      expect(await names('--metadata', 'k=a=b')).toEqual(['a'])
      expect((await runInProcess(['services', '--metadata', 'k'])).code).toBe(2)
    }))
})

describe('coordinator services: pages', () => {
  it('ends with an error where a cursor comes again: the list would never end', async () => {
    let asked = 0
    await withAnswers(
      (_request, response) => {
        asked += 1
        // The end that a command which does not notice would wait for.
        const nextCursor = asked > 20 ? undefined : 'again'
        json(response, 200, { services: [named('a')], total: 1, revision: 1, nextCursor })
      },
      async (url) => {
        const { code, stdout, stderr } = await runInProcess(['services', '--url', url])
        expect({ code, stdout, asked }).toEqual({ code: 69, stdout: '', asked: 2 })
        expect(stderr).toMatch(
          /answered with the same cursor twice.* Check .*--url\..* \[COORD_CLI_UNREACHABLE\]\n$/,
        )
      },
    )
  })

  it('reads pages to the last one, which has no cursor', async () => {
    const pages = [{ nextCursor: 'one' }, { nextCursor: 'two' }, {}]
    const queries: (string | undefined)[] = []
    await withAnswers(
      ({ url }, response) => {
        queries.push(url)
        json(response, 200, {
          services: [named(`s${queries.length}`)],
          total: 3,
          revision: 1,
          ...pages.shift(),
        })
      },
      async (url) => {
        const { code, stdout } = await runInProcess(['services', '--url', url])
        expect([code, stdout.endsWith('\n3 services\n')]).toEqual([0, true])
      },
    )
    expect(queries.map((query) => /cursor=(\w+)/.exec(query ?? '')?.[1])).toEqual([undefined, 'one', 'two'])
  })
})

describe('coordinator status: the exit code', () => {
  it('is 0 while all is well, and 1 before the first load', async () => {
    await withServer(async ({ url }) => {
      expect((await runInProcess(['status', '--url', url])).code).toBe(0)
    })
    await withServer(
      async ({ url }) => {
        const { code, stdout } = await runInProcess(['status', '--url', url])
        expect(code).toBe(1)
        expect(stdout).toMatch(/^health +starting/m)
      },
      { started: false },
    )
  })

  it('is 1 where something else than a coordinator answers with JSON, and 69 where nobody does', async () => {
    await withAnswers(
      (_request, response) => response.end('<h1>hello</h1>'),
      async (url) => {
        const { code, stderr } = await runInProcess(['status', '--url', url])
        expect(code).toBe(69)
        expect(stderr).toContain('and not as a coordinator does')
      },
    )
    expect((await runInProcess(['status', '--url', 'http://127.0.0.1:2'])).code).toBe(69)
  })
})

describe('coordinator doctor: the exit code', () => {
  it('is 0 where there is nothing but warnings, and 1 where there is a problem', async () => {
    await using folder = await scratchFolder()
    const path = `${folder.path}/coordinator.db`
    const doctor = () => runInProcess(['doctor', '--json'], { env: { DATABASE_URL: `sqlite:${path}` } })
    const none = await doctor()
    expect([none.code, JSON.parse(none.stdout).healthy]).toEqual([1, false])
    await runInProcess(['migrate'], { env: { DATABASE_URL: `sqlite:${path}` } })
    expect((await doctor()).code).toBe(0)
    const file = new DatabaseSync(path)
    file.exec(`update migrations set checksum = 'other'`)
    file.close()
    const { code, stdout } = await doctor()
    const { healthy, findings } = JSON.parse(stdout)
    expect([code, healthy]).toEqual([0, true])
    expect(findings.map(({ state }: { state: string }) => state)).toContain('warning')
  })
})

describe('the program', () => {
  it('hands the environment on to serve, its options above it, and ends with the code of that', async () => {
    let given: unknown
    const serve = async (env: unknown) => {
      given = env
      return 7
    }
    const env = { HOST: 'x', PORT: '1', LOG_LEVEL: 'warn' }
    expect((await runInProcess(['serve'], { env, serve })).code).toBe(7)
    expect(given).toEqual(env)
    await runInProcess(['serve', '--host', '::1', '--port', '0'], { env, serve })
    expect(given).toEqual({ HOST: '::1', PORT: '0', LOG_LEVEL: 'warn' })
    for (const args of [
      ['--port', '65536'],
      ['--host', 'a b'],
    ]) {
      const { code, stderr } = await runInProcess(['serve', ...args], { serve })
      expect(code).toBe(2)
      expect(stderr).toContain(`${args[0]} must be`)
    }
  })

  it.each([[['unknown']], [['services', '--unknown']], [['import']], [[]]])(
    'ends with 2 for %j',
    async (args) => {
      expect((await runInProcess(args)).code).toBe(2)
    },
  )

  it('does not repeat an address that it cannot use, which may hold a password', async () => {
    const { code, stderr } = await runInProcess(['status', '--url', 'http://u:secret@host'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^coordinator: --url must be a URL/)
    expect(stderr).not.toContain('secret')
  })

  it.each(['after-restore', 'restored'])('%s knows nothing to restore in memory', async (name) => {
    const { code, stderr } = await runInProcess([name])
    expect([code, stderr.includes('the history in memory ends with its coordinator')]).toEqual([2, true])
  })

  it('shows after-restore in its help, and not its other name', async () => {
    const { stdout } = await runInProcess(['--help'])
    expect(stdout).toMatch(/^ {2}after-restore /m)
    expect(stdout).not.toMatch(/^ {2}restored /m)
  })
})
