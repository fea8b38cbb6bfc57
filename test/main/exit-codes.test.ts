import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Env, runCoordinator, scratchFolder, serving } from './coordinator-process.ts'

/** What a definite error leaves on stderr: one line that ends with its code. */
const oneLine = (code: string) => new RegExp(`^coordinator: [^\\n]+ \\[${code}\\]\\n$`)

describe('exit codes of coordinator serve', () => {
  it('0 after SIGTERM and after SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using coordinator = await serving()
      expect(await coordinator.stop(signal)).toMatchObject({ code: 0, signal: null, stderr: '' })
    }
  })

  it('1 where the port is taken, saying which and what to do', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const { code, stderr } = await runCoordinator(['serve'], { env: { PORT: String(port) } })
    taken.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(oneLine('COORD_LISTEN_FAILED'))
    expect(stderr).toContain(String(port))
    expect(stderr).toContain('Choose another PORT')
  })

  it('1 where the address is not one of this machine', async () => {
    const { code, stderr } = await runCoordinator(['serve'], {
      env: { PORT: '0', HOST: '192.0.2.1', AUTH: 'off' },
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(oneLine('COORD_LISTEN_FAILED'))
  })

  it.each([
    ['an unknown command', ['unknown']],
    ['an unknown option', ['serve', '--unknown']],
    ['a missing argument', ['import']],
    ['too many arguments', ['services', 'cart']],
    ['a wrong --url', ['services', '--url', 'cart']],
    ['a wrong --metadata', ['services', '--metadata', 'system']],
    ['a wrong --patience', ['import', '-', '--patience', 'long']],
    ['a wrong --port', ['serve', '--port', 'http']],
    ['no command', []],
  ])('2 for %s', async (_what, args) => {
    const { code, stdout, stderr } = await runCoordinator(args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).not.toBe('')
  })

  it.each(
    [
      ['--help'],
      ['--version'],
      ['help'],
      ['help', 'import'],
      ['help', 'graph', 'impact'],
      ['migrate', '--help'],
    ].map((args) => [args]),
  )('0 for %j', async (args) => {
    const { code, stdout, stderr } = await runCoordinator(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toBe('')
  })

  it.each([
    [['help', 'servce'], "unknown command 'servce'\n(Did you mean serve?)"],
    [['help', 'graph', 'impct'], "unknown command 'impct'\n(Did you mean impact?)"],
    [['graph', 'help', 'bogus'], "unknown command 'bogus'"],
  ])('2 for %j, which says that there is no such command', async (args, said) => {
    const { code, stdout, stderr } = await runCoordinator(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe(`coordinator: ${said}\nNext: run the command with --help.\n`)
  })

  it.each<[string, Env, string, RegExp]>([
    [
      'a URL without a key',
      { SUPABASE_URL: 'https://project.supabase.co' },
      'INCOMPLETE',
      /SUPABASE_SERVICE_ROLE_KEY/,
    ],
    ['a key without a URL', { SUPABASE_SECRET_KEY: 'sb_secret_abcdefgh' }, 'INCOMPLETE', /SUPABASE_URL/],
    ['a database URL that cannot be read', { DATABASE_URL: 'sqlite:' }, 'INVALID', /DATABASE_URL/],
    ['another kind of database', { DATABASE_URL: 'mysql://localhost/db' }, 'UNSUPPORTED', /DATABASE_URL/],
    ['a port that is no number', { PORT: 'http' }, 'INVALID', /PORT/],
    ['an address for everybody without a choice of AUTH', { HOST: '0.0.0.0' }, 'INVALID', /AUTH=required/],
    ['a secret file that does not exist', { DATABASE_URL_FILE: '/none' }, 'INVALID', /DATABASE_URL_FILE/],
    ['a level that does not exist', { LOG_LEVEL: 'loud' }, 'INVALID', /LOG_LEVEL/],
  ])('78 for %s, in one line that names the variable', async (_what, env, fault, names) => {
    const { code, stdout, stderr } = await runCoordinator(['serve'], { env: { PORT: '0', ...env } })
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toMatch(oneLine(`COORD_CONFIG_${fault}`))
    expect(stderr).toMatch(names)
  })

  it('78 for Supabase without its client, in one line with the command that installs it', async () => {
    const hook = `import { registerHooks } from 'node:module'
      const missing = "Cannot find package '@supabase/supabase-js' imported from /somewhere"
      registerHooks({
        resolve(name, context, next) {
          if (name !== '@supabase/supabase-js') return next(name, context)
          throw Object.assign(new Error(missing), { code: 'ERR_MODULE_NOT_FOUND' })
        },
      })`
    const { code, stdout, stderr } = await runCoordinator(['serve'], {
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(hook)}`],
      env: {
        PORT: '0',
        SUPABASE_URL: 'https://project.supabase.co',
        SUPABASE_SECRET_KEY: 'sb_secret_abcdefgh',
      },
    })
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toMatch(oneLine('COORD_CONFIG_PACKAGE_MISSING'))
    expect(stderr).toContain('`npm install --omit=dev --include=optional`')
  })

  it('an empty variable counts as unset', async () => {
    await using coordinator = await serving({
      env: { DATABASE_URL: '', SUPABASE_URL: ' ', SUPABASE_ANON_KEY: '' },
    })
    expect((await coordinator.stop()).code).toBe(0)
  })
})

describe('coordinator serve --host 0.0.0.0', () => {
  it('ends with 78 and says what to set', async () => {
    const { code, stdout, stderr } = await runCoordinator(['serve', '--host', '0.0.0.0', '--port', '0'])
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toMatch(oneLine('COORD_CONFIG_INVALID'))
    expect(stderr).toContain(
      'set AUTH=required, or AUTH=off if everybody who reaches this port may change everything',
    )
  })

  it('serves with AUTH=off, and warns', async () => {
    await using coordinator = await serving({ env: { HOST: '0.0.0.0', AUTH: 'off' } })
    expect((await coordinator.stop()).stdout).toContain('AUTH is off: everybody who reaches the port')
  })
})

describe('exit codes of coordinator serve on SQLite', () => {
  const startOn = (path: string) =>
    runCoordinator(['serve'], { env: { PORT: '0', LOG_FORMAT: 'json', DATABASE_URL: `sqlite:${path}` } })

  it('74 for a path that is a folder', async () => {
    await using folder = await scratchFolder()
    await mkdir(join(folder.path, 'taken'))
    const { code, stderr } = await startOn(join(folder.path, 'taken'))
    expect(code).toBe(74)
    expect(stderr).toMatch(oneLine('COORD_STORE_PATH'))
  })

  it('74 for a file that is no database, which stays as it was', async () => {
    await using folder = await scratchFolder()
    const path = join(folder.path, 'notes.db')
    const text = 'These are notes, and no database. '.repeat(100)
    await writeFile(path, text)
    const { code, stderr } = await startOn(path)
    expect(code).toBe(74)
    expect(stderr).toMatch(oneLine('COORD_STORE_CORRUPT'))
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it('74 for a file that another coordinator owns', async () => {
    await using folder = await scratchFolder()
    const path = join(folder.path, 'coordinator.db')
    await using first = await serving({ env: { DATABASE_URL: `sqlite:${path}` } })
    const { code, stderr } = await startOn(path)
    expect(code).toBe(74)
    expect(stderr).toMatch(oneLine('COORD_STORE_LOCKED'))
    expect((await first.stop()).code).toBe(0)
  })
})

describe('exit codes of the other commands', () => {
  const nowhere = { COORDINATOR_URL: 'http://127.0.0.1:9' }

  it.each([[['services']], [['status']], [['import', 'examples/data/online-boutique.json']]])(
    '69 for %j where no coordinator answers',
    async (args) => {
      const { code, stdout, stderr } = await runCoordinator(args, { env: nowhere })
      expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
      expect(stderr).toMatch(oneLine('COORD_CLI_UNREACHABLE'))
      expect(stderr).toContain('coordinator serve')
    },
  )

  it('74 for a file that does not exist, also where no coordinator answers', async () => {
    const { code, stderr } = await runCoordinator(['import', 'absent.json'], { env: nowhere })
    expect(code).toBe(74)
    expect(stderr).toMatch(oneLine('COORD_CLI_FILE'))
  })

  it('78 for a COORDINATOR_URL with credentials, which it does not repeat', async () => {
    const env = { COORDINATOR_URL: 'http://user:hidden-word@127.0.0.1:9' }
    const { code, stderr } = await runCoordinator(['services'], { env })
    expect(code).toBe(78)
    expect(stderr).not.toContain('hidden-word')
  })
})
