import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, type Serving, scratchFolder, serving } from '../main/coordinator-process.ts'
import { runInProcess } from './run-in-process.ts'
import { json, withAnswers } from './with-answers.ts'

const adminToken = 'an-administrator-of-tests-0123456789abcdef'
const form = /^cdt_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\n$/

let folder: Awaited<ReturnType<typeof scratchFolder>>
let coordinator: Serving
beforeAll(async () => {
  folder = await scratchFolder()
  const env = {
    AUTH: 'required',
    AUTH_ADMIN_TOKEN: adminToken,
    DATABASE_URL: `sqlite:${folder.path}/coordinator.db`,
  }
  coordinator = await serving({ env })
})
afterAll(async () => {
  await coordinator[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** Runs a command against the coordinator, by default as its administrator. */
const run = (args: readonly string[], token: string | undefined = adminToken, input = '') =>
  runInProcess(args, { env: { COORDINATOR_URL: coordinator.url, COORDINATOR_TOKEN: token }, input })
const create = (...args: readonly string[]) => run(['token', 'create', ...args])
const listed = async (...args: readonly string[]) =>
  JSON.parse((await run(['token', 'list', '--json', ...args])).stdout).tokens
const bearer = (text: string) => ({ authorization: `Bearer ${text.trim()}` })

describe('coordinator token create', () => {
  it('prints the token alone on standard output, and everything else on standard error', async () => {
    const { code, stdout, stderr } = await create('alone', '--scope', 'read')
    expect([code, stdout]).toEqual([0, expect.stringMatching(form)])
    expect(stderr).toMatch(
      /^Created the token alone \(id [0-9A-Za-z]{12}\) with the scopes read\. It expires at \d{4}-\S+Z\.\n.*only this once\.\n$/,
    )
    expect(stderr).not.toContain(stdout.trim().slice(17))
    const answer = await ask(`${coordinator.url}/services`, 'GET', undefined, bearer(stdout))
    expect(answer.status).toBe(200)
  })

  it('with --json, prints one object with the token', async () => {
    const { code, stdout } = await create('object', '--scope', 'graph', '--scope', 'read', '--json')
    expect(code).toBe(0)
    const created = JSON.parse(stdout)
    expect(created).not.toHaveProperty('success')
    expect(created).toMatchObject({
      id: expect.stringMatching(/^[0-9A-Za-z]{12}$/),
      name: 'object',
      scopes: ['graph', 'read'],
      expiresAt: expect.stringMatching(/Z$/),
      token: expect.stringMatching(/^cdt_/),
    })
  })

  it.each([
    ['12h', 12 * 3_600_000],
    ['90d', 90 * 86_400_000],
    ['2099-01-31T12:00:00Z', '2099-01-31T12:00:00.000Z'],
    ['never', null],
  ])('--expires %s sets the end of the token', async (expires, wanted) => {
    const name = `expires-${expires.toLowerCase().replaceAll(':', '.')}`
    const { stdout } = await create(name, '--scope', 'read', '--expires', expires, '--json')
    const { expiresAt } = JSON.parse(stdout)
    if (typeof wanted !== 'number') expect(expiresAt).toBe(wanted)
    else expect(Math.abs(Date.parse(expiresAt) - Date.now() - wanted)).toBeLessThan(60_000)
  })

  it('lets a token live for 90 days unless told otherwise', async () => {
    const { expiresAt } = JSON.parse((await create('default', '--scope', 'read', '--json')).stdout)
    expect(Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000)).toBe(90)
  })

  it.each([
    ['writ', '"writ" is not a scope.'],
    ['raed', '"raed" is not a scope. Is read meant?'],
    ['register', '"register" is not a scope.'],
    ['register:a*b', '"register:a*b" is not a scope.'],
    ['read,graph', '"read,graph" is not a scope. Repeat the option: --scope read --scope graph.'],
    ['', '"" is not a scope.'],
  ])('refuses the scope %j, and lists the forms of a scope', async (scope, detail) => {
    const { code, stdout, stderr } = await create('wrong', '--scope', scope)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`coordinator: ${detail} A scope is read, graph, metrics, admin, register:NAME,`)
    expect(stderr).toMatch(/\[COORD_CLI_USAGE\]\n$/)
  })

  it('refuses a token without a scope', async () => {
    const { code, stderr } = await create('wrong')
    expect([code, stderr]).toEqual([2, expect.stringContaining('Add --scope.')])
  })

  it.each([
    ['Capital', '1d', /^coordinator: The name .*characters a-z/],
    ['wrong', 'soon', /^coordinator: --expires must be a duration such as 90d, /],
    ['wrong', '2020-01-01T00:00:00Z', /^coordinator: --expires must be in the future\./],
  ])('names the argument that the coordinator refuses: %s, %s', async (name, expires, fault) => {
    const { code, stdout, stderr } = await create(name, '--scope', 'read', '--expires', expires)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(fault)
    expect(stderr).toMatch(/ Run `coordinator token create --help`\. \[COORD_CLI_USAGE\]\n$/)
  })

  it('refuses a name for ever, even after its token was revoked', async () => {
    await create('once', '--scope', 'read')
    await run(['token', 'revoke', 'once'])
    const { code, stderr } = await create('once', '--scope', 'read')
    expect([code, stderr]).toEqual([1, expect.stringContaining('[COORD_TOKEN_NAME_TAKEN]')])
  })

  it('is refused without the scope admin, with 77', async () => {
    const { stdout } = await create('reader', '--scope', 'read')
    const { code, stderr } = await run(['token', 'create', 'more', '--scope', 'admin'], stdout)
    expect([code, stderr]).toEqual([77, expect.stringContaining('[COORD_SCOPE_MISSING]')])
    const nobody = await run(['token', 'create', 'more', '--scope', 'admin'], '')
    expect([nobody.code, nobody.stderr]).toEqual([77, expect.stringContaining('Set COORDINATOR_TOKEN')])
  })

  it('says that the token may exist where the answer was lost', async () => {
    await withAnswers(
      (request) => request.socket.destroy(),
      async (url) => {
        const ran = await runInProcess(['token', 'create', 'lost', '--scope', 'read', '--url', url])
        expect([ran.code, ran.stdout]).toEqual([69, ''])
        expect(ran.stderr).toContain('The token may exist all the same: see `coordinator token list`.')
        expect(ran.stderr).toContain('`coordinator token revoke lost`')
      },
    )
    await withAnswers(
      (_request, response) =>
        json(response, 503, { code: 'COORD_STORE_TIMEOUT', detail: 'Late.', outcome: 'unknown' }),
      async (url) => {
        const ran = await runInProcess(['token', 'create', 'lost', '--scope', 'read', '--url', url])
        expect(ran.stderr).toContain('The token may exist all the same')
      },
    )
    // Nothing listens there any more.
    let gone = ''
    await withAnswers(
      () => undefined,
      async (url) => {
        gone = url
      },
    )
    const refused = await runInProcess(['token', 'create', 'x', '--scope', 'read', '--url', gone])
    expect([refused.code, refused.stderr]).toEqual([69, expect.not.stringContaining('may exist')])
  })
})

describe('coordinator token list', () => {
  it('shows every token but its secret, and revoked ones with --all', async () => {
    const { stdout: kept } = await create('kept', '--scope', 'read', '--scope', 'register:kept')
    const { stdout: gone } = await create('gone', '--scope', 'read', '--expires', 'never')
    await run(['token', 'revoke', 'gone'])
    const { code, stdout } = await run(['token', 'list'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^NAME +ID +STATE +SCOPES +CREATED +BY +EXPIRES +LAST USED$/m)
    expect(stdout).toMatch(
      new RegExp(`^kept +${kept.slice(4, 16)} +active +read register:kept +\\S+Z +admin\\S* .*Z`, 'm'),
    )
    expect(stdout).not.toMatch(/^gone /m)
    expect(stdout).toMatch(/^\d+ tokens, and \d+ revoked \(see --all\)$/m)
    const all = await run(['token', 'list', '--all'])
    expect(all.stdout).toMatch(new RegExp(`^gone +${gone.slice(4, 16)} +revoked \\S+Z by admin.* never`, 'm'))
    for (const text of [stdout, all.stdout]) {
      expect(text).not.toContain(kept.trim().slice(17))
      expect(text).not.toMatch(/[0-9a-f]{64}/)
    }
  })

  it('says when a token was last used', async () => {
    const { stdout } = await create('used', '--scope', 'read')
    const facts = async () => (await listed()).find(({ name }: { name: string }) => name === 'used')
    expect((await facts()).lastUsedAt).toBeNull()
    await run(['services'], stdout)
    expect((await facts()).lastUsedAt).toMatch(/Z$/)
  })

  it('shows a dash where a token was not used, and the state in JSON too', async () => {
    await create('unused', '--scope', 'read')
    await create('ended', '--scope', 'read')
    await run(['token', 'revoke', 'ended'])
    expect((await run(['token', 'list'])).stdout).toMatch(/^unused .*Z +-$/m)
    const tokens: { name: string; state: string }[] = await listed('--all')
    const states = Object.fromEntries(tokens.map(({ name, state }) => [name, state]))
    expect(states).toMatchObject({ unused: 'active', ended: 'revoked' })
  })

  it('shows the tokens that AUTH_NOT_BEFORE refuses as refused', async () => {
    await using scratch = await scratchFolder()
    const env = {
      ...{ AUTH: 'required', AUTH_ADMIN_TOKEN: adminToken },
      DATABASE_URL: `sqlite:${scratch.path}/coordinator.db`,
    }
    const first = await serving({ env })
    const as = (url: string) => ({ env: { COORDINATOR_URL: url, COORDINATOR_TOKEN: adminToken } })
    await runInProcess(['token', 'create', 'old', '--scope', 'read'], as(first.url))
    await first.stop()
    await using second = await serving({ env: { ...env, AUTH_NOT_BEFORE: new Date().toISOString() } })
    const { stdout } = await runInProcess(['token', 'list'], as(second.url))
    expect(stdout).toMatch(/^old +\S+ +refused /m)
    const json = await runInProcess(['token', 'list', '--json'], as(second.url))
    expect(JSON.parse(json.stdout).tokens).toMatchObject([{ name: 'old', state: 'refused' }])
  })

  it('prints JSON without a hash', async () => {
    await create('plain', '--scope', 'read')
    const tokens = await listed('--all')
    expect(tokens.length).toBeGreaterThan(0)
    expect(JSON.stringify(tokens)).not.toMatch(/hash|[0-9a-f]{64}/i)
  })
})

describe('coordinator token revoke', () => {
  it('revokes by name and by id; the token no longer counts', async () => {
    for (const by of ['name', 'id']) {
      const { stdout } = await create(`by-${by}`, '--scope', 'read')
      const id = stdout.slice(4, 16)
      const revoked = await run(['token', 'revoke', by === 'id' ? id : `by-${by}`])
      expect(revoked).toMatchObject({ code: 0, stdout: `The token by-${by} (id ${id}) is revoked.\n` })
      const { code, stderr } = await run(['services'], stdout)
      expect([code, stderr]).toEqual([77, expect.stringContaining('[COORD_CREDENTIAL_REVOKED]')])
      const again = await run(['token', 'revoke', id, '--json'])
      expect([again.code, JSON.parse(again.stdout)]).toEqual([0, { id, name: `by-${by}`, changed: false }])
    }
  })

  it('names the token that was perhaps meant', async () => {
    await create('payments', '--scope', 'read')
    const { code, stderr } = await run(['token', 'revoke', 'paymnets'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('Is payments meant?')])
    expect(stderr).toContain('[COORD_TOKEN_NOT_FOUND]')
  })

  it('takes no whole token as an argument, and tells its id', async () => {
    const { stdout } = await create('whole', '--scope', 'read')
    const { code, stderr } = await run(['token', 'revoke', stdout.trim()])
    expect(code).toBe(2)
    expect(stderr).toContain(`\`coordinator token revoke ${stdout.slice(4, 16)}\``)
    expect(stderr).not.toContain(stdout.trim().slice(17))
  })
})

describe('commands with a token', () => {
  it('do what its scopes permit, and leave its name in the history', async () => {
    const { stdout: token } = await create('cart', '--scope', 'register:cart', '--scope', 'read')
    const items = ['cart', 'other'].map((serviceName) => ({
      serviceName,
      version: '1.0.0',
      endpoint: 'http://a:1',
    }))
    const { code, stdout, stderr } = await run(['import', '-'], token, JSON.stringify(items))
    expect([code, stdout]).toEqual([1, '2 services: 1 new, 0 changed, 0 unchanged, 1 failed\n'])
    expect(stderr).toMatch(/^item 2 \(other\): .*\[COORD_SCOPE_MISSING\]$/m)
    const changes = await ask(`${coordinator.url}/changes?after=0`, 'GET', undefined, bearer(token))
    expect(changes.body.entries.at(-1).actor).toMatch(/^token:cart as cli%3A\S+$/)
  })

  it('read it from a file', async () => {
    const path = `${folder.path}/admin.token`
    await writeFile(path, `${adminToken}\n`, { mode: 0o600 })
    const ran = await run(['token', 'list', '--token-file', path], 'x'.repeat(40))
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    const env = { COORDINATOR_URL: coordinator.url, COORDINATOR_TOKEN_FILE: path }
    expect((await runInProcess(['services'], { env })).code).toBe(0)
  })
})

describe('coordinator status with a token', () => {
  it('shows the mode, the caller and its scopes', async () => {
    const { stdout: token } = await create('looking', '--scope', 'read', '--scope', 'metrics')
    const { code, stdout } = await run(['status'], token)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}open to +those with a credential$/m)
    expect(stdout).toMatch(/^ {2}you are +token:looking\S*( as \S+)?, the token expires at \S+Z$/m)
    expect(stdout).toMatch(/^ {2}scopes +read metrics$/m)
    expect(stdout).toMatch(/^health +ok/m)
    expect(JSON.parse((await run(['status', '--json'], token)).stdout)).toMatchObject({
      access: { mode: 'required', scopes: ['read', 'metrics'] },
      health: { status: 'ok' },
    })
  })

  it('shows them to a caller who may not see the rest, and ends with 77', async () => {
    const { stdout: token } = await create('registering', '--scope', 'register:a', '--expires', 'never')
    const { code, stdout, stderr } = await run(['status'], token)
    expect([code, stderr]).toEqual([77, ''])
    expect(stdout).toMatch(/^ {2}you are +token:registering( as \S+)?$/m)
    expect(stdout).toMatch(/^ {2}scopes +register:a$/m)
    expect(stdout).toMatch(/^health +not shown: it needs a token with the scope read or metrics$/m)
  })

  it('shows it without a token where requests without a credential may read', async () => {
    const env = { AUTH: 'required', AUTH_ADMIN_TOKEN: adminToken, AUTH_ANONYMOUS: 'read' }
    await using open = await serving({ env })
    const { code, stdout, stderr } = await runInProcess(['status'], { env: { COORDINATOR_URL: open.url } })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^ {2}scopes +read$/m)
    expect(stdout).toMatch(/^health +ok/m)
    expect(stdout).toMatch(/^ {2}more +not shown: it needs a token with the scope metrics$/m)
  })

  it('without a token ends with 77, and says what to set', async () => {
    const { code, stderr } = await run(['status'], '')
    expect([code, stderr]).toEqual([77, expect.stringContaining('Set COORDINATOR_TOKEN')])
  })
})
