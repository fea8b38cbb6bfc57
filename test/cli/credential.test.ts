import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { scratchFolder } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'
import { runInProcess } from './run-in-process.ts'
import { json, withAnswers } from './with-answers.ts'

const token = 'cdt_AAAAbbbb1111_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ123456'
const other = token.replace('AAAA', 'ZZZZ')

/** An answer that satisfies each of the commands below. */
const answer = { services: [], total: 0, revision: 1, complete: true, nodes: [], safe: true, status: 'ok' }

const commands = [
  ['services'],
  ['status'],
  ['import', '-'],
  ['graph', 'orphans'],
  ['graph', 'diff', '1', '2'],
  ['graph', 'what-if', '--remove', 'a'],
  ['graph', 'export'],
  ['token', 'list'],
  ['token', 'create', 'ci', '--scope', 'read'],
  ['token', 'revoke', 'ci'],
]

/** Runs a test with a file that has the text in it, and the given rights. */
async function withFile(text: string, mode: number, body: (path: string) => Promise<void>): Promise<void> {
  await using folder = await scratchFolder()
  const path = `${folder.path}/token`
  await writeFile(path, text)
  await chmod(path, mode)
  await body(path)
}

describe('the token of a command', () => {
  it.each(commands)('%s %s sends it with every request, and in no query', async (...args) => {
    const requests: IncomingMessage[] = []
    await withAnswers(
      (request, response) => {
        requests.push(request)
        json(response, 200, answer)
      },
      async (url) => {
        await withFile(`${token}\n`, 0o600, async (path) => {
          const given = args.filter((arg) => arg !== undefined)
          const ran = await runInProcess([...given, '--url', url, '--token-file', path], {
            env: { COORDINATOR_TOKEN: other },
            input: '[{"serviceName":"a"}]',
          })
          expect(ran.stderr).not.toContain('warning')
          expect(ran.stdout + ran.stderr).not.toContain(token)
        })
      },
    )
    expect(requests.length).toBeGreaterThan(0)
    for (const { headers, url } of requests) {
      expect(headers.authorization).toBe(`Bearer ${token}`)
      expect(headers['x-coordinator-actor']).toMatch(/^cli:/)
      expect(url).not.toMatch(/token-?file/i)
    }
  })

  it('comes from COORDINATOR_TOKEN where no file is given; white space around it does not count', async () => {
    const sent: (string | undefined)[] = []
    await withAnswers(
      ({ headers }, response) => {
        sent.push(headers.authorization)
        json(response, 200, answer)
      },
      async (url) => {
        const env = { COORDINATOR_URL: url }
        await runInProcess(['services'], { env: { ...env, COORDINATOR_TOKEN: ` ${token}\n` } })
        await runInProcess(['services'], { env: { ...env, COORDINATOR_TOKEN: '' } })
        await runInProcess(['services'], { env })
      },
    )
    expect(sent).toEqual([`Bearer ${token}`, undefined, undefined])
  })

  it.each([
    [`${token} ${other}`, 'has characters in it that no token has'],
    [`${token}é`, 'has characters in it that no token has'],
    ['  ', 'has no whole token in it'],
    ['cdt_AAAA', 'has no whole token in it'],
    ['x'.repeat(20_000), 'is too large for a token'],
  ])('is refused unread where the file has something else in it, and never repeated', async (text, fault) => {
    await withFile(text, 0o600, async (path) => {
      const { code, stderr } = await runInProcess(['services', '--token-file', path])
      expect(code).toBe(74)
      expect(stderr).toContain(`${path} ${fault}.`)
      expect(stderr).toContain('[COORD_CLI_FILE]')
      if (text.trim() !== '') expect(stderr).not.toContain(text.slice(0, 16))
    })
  })

  it('is refused where COORDINATOR_TOKEN has something else in it, and never repeated', async () => {
    const env = { COORDINATOR_TOKEN: `${token}\n${other}` }
    const { code, stderr } = await runInProcess(['services'], { env })
    expect(code).toBe(78)
    expect(stderr).toContain('COORDINATOR_TOKEN')
    expect(stderr).not.toContain('cdt_')
  })

  it('needs a file that can be read', async () => {
    await using folder = await scratchFolder()
    const missing = await runInProcess(['services', '--token-file', `${folder.path}/missing`])
    expect([missing.code, missing.stderr]).toEqual([74, expect.stringContaining('does not exist')])
    const directory = await runInProcess(['services', '--token-file', folder.path])
    expect([directory.code, directory.stderr]).toEqual([74, expect.stringContaining('is a folder')])
  })

  it('warns of a file that other users may read', () =>
    withAnswers(
      (_request, response) => json(response, 200, answer),
      async (url) => {
        for (const mode of [0o644, 0o604])
          await withFile(token, mode, async (path) => {
            const { code, stderr } = await runInProcess(['services', '--url', url, '--token-file', path])
            const warning = `warning: other users may read ${path}. Run \`chmod 600\` on it.\n`
            expect([code, stderr]).toEqual([0, warning])
            const env = { COORDINATOR_URL: url, COORDINATOR_TOKEN_FILE: path }
            expect((await runInProcess(['services'], { env })).stderr).toBe(warning)
          })
      },
    ))

  it('is not sent to the target of a redirect', async () => {
    const asked: string[] = []
    await withAnswers(
      ({ headers }, response) => {
        asked.push(headers.authorization ?? '')
        json(response, 200, answer)
      },
      (target) =>
        withAnswers(
          (_request, response) => response.writeHead(307, { location: target }).end(),
          async (url) => {
            for (const args of [['services'], ['graph', 'export'], ['token', 'list']]) {
              const ran = await runInProcess([...args, '--url', url], { env: { COORDINATOR_TOKEN: token } })
              expect([ran.code, ran.stderr]).toEqual([69, expect.stringContaining('answered 307')])
            }
          },
        ),
    )
    expect(asked).toEqual([])
  })

  it('does not appear in an error or in JSON, even if the server sends it back', async () => {
    for (const status of [200, 401, 500])
      await withAnswers(
        ({ headers }, response) =>
          json(response, status, { code: 'COORD_INTERNAL', detail: headers.authorization, status: token }),
        async (url) => {
          const ran = await runInProcess(['status', '--json', '--url', url], {
            env: { COORDINATOR_TOKEN: token },
          })
          expect(ran.stdout + ran.stderr).toContain('[hidden]')
          expect(ran.stdout + ran.stderr).not.toContain(token)
        },
      )
  })
})

describe('a token over http', () => {
  const warning = /^warning: the token goes to \S+ over http, without encryption\. Use an https URL\.$/m
  const stderrOf = async (url: string, env: Readonly<Record<string, string>>) =>
    (await runInProcess(['services', '--url', url], { env })).stderr

  it.each(['http://0.0.0.0:1', 'http://registry.invalid:1'])('%s gets a warning', async (url) => {
    expect(await stderrOf(url, { COORDINATOR_TOKEN: token })).toMatch(warning)
  })

  it.each(['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1', 'https://registry.invalid:1'])(
    '%s gets none',
    async (url) => {
      expect(await stderrOf(url, { COORDINATOR_TOKEN: token })).not.toMatch(warning)
    },
  )

  it('without a token there is none', async () => {
    expect(await stderrOf('http://registry.invalid:1', {})).not.toMatch(warning)
  })
})

describe('a certificate that the command does not trust', () => {
  it('ends with 69, and the token is not sent', async () => {
    const folder = 'test/support/certificates'
    const [cert, key] = [readFileSync(`${folder}/server.crt`), readFileSync(`${folder}/server.key`)]
    let asked = 0
    const server = createServer({ cert, key }, (_request, response) => {
      asked += 1
      response.end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const env = { COORDINATOR_URL: `https://localhost:${port}`, COORDINATOR_TOKEN: token }
    const { code, stderr } = await runInProcess(['services'], { env })
    server.close().closeAllConnections()
    expect([code, asked]).toEqual([69, 0])
    expect(stderr).toContain('set NODE_EXTRA_CA_CERTS to the file with the certificate of the authority.')
    expect(stderr).not.toContain('self-signed')
  })

  itWith('openssl')('is named as self-signed where it is, and a URL without TLS is suspected', async () => {
    await using folder = await scratchFolder()
    const [cert, key] = [`${folder.path}/cert.pem`, `${folder.path}/key.pem`]
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert],
        ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ],
      { stdio: 'ignore' },
    )
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const at = (scheme: string) =>
      runInProcess(['services'], { env: { COORDINATOR_URL: `${scheme}://127.0.0.1:${port}` } })
    const [secure, plain] = [await at('https'), await at('http')]
    server.close().closeAllConnections()
    expect(secure.stderr).toContain(
      'The certificate is self-signed: set NODE_EXTRA_CA_CERTS to the file of the certificate.',
    )
    expect(plain.stderr).toContain('If it uses TLS, give a URL with https. [COORD_CLI_UNREACHABLE]')
  })
})

describe('a refusal of the coordinator', () => {
  const refused = async (
    status: number,
    code: string,
    { env, hint }: { readonly env: Readonly<Record<string, string>>; readonly hint?: string },
  ) => {
    let ran = { code: 0, stdout: '', stderr: '' }
    await withAnswers(
      (_request, response) => json(response, status, { code, status, detail: 'No.', hint }),
      async (url) => {
        ran = await runInProcess(['services', '--url', url], { env })
      },
    )
    return ran
  }
  const sent = { COORDINATOR_TOKEN: token }

  it.each([
    [401, 'COORD_AUTH_REQUIRED', {}, 'Set COORDINATOR_TOKEN, or give --token-file.'],
    [401, 'COORD_AUTH_REQUIRED', sent, 'check whether a proxy removes the header Authorization.'],
    [401, 'COORD_CREDENTIAL_INVALID', sent, 'Check the token in COORDINATOR_TOKEN:'],
    [401, 'COORD_CREDENTIAL_EXPIRED', sent, 'Put a new token into COORDINATOR_TOKEN.'],
    [401, 'COORD_CREDENTIAL_REVOKED', sent, 'Put a new token into COORDINATOR_TOKEN.'],
    [403, 'COORD_SCOPE_MISSING', sent, '`coordinator status` shows the scopes of the token in'],
    [403, 'COORD_SCOPE_MISSING', {}, 'Set COORDINATOR_TOKEN, or give --token-file.'],
    [403, 'COORD_PROXY_NEEDS_AUTH', {}, 'Set AUTH=required, or AUTH=off if'],
  ])('%i %s ends with 77, and says what to set', async (status, code, env, hint) => {
    const ran = await refused(status, code, { env })
    expect([ran.code, ran.stdout]).toEqual([77, ''])
    expect(ran.stderr).toContain(hint)
    expect(ran.stderr).toMatch(new RegExp(`^coordinator: No\\. .*\\[${code}\\]\\n$`))
  })

  it('keeps a hint of the coordinator that is about this refusal only', async () => {
    const hint = 'Nobody can administer this coordinator. Set AUTH_ADMIN_TOKEN.'
    const { code, stderr } = await refused(401, 'COORD_AUTH_REQUIRED', { env: {}, hint })
    expect([code, stderr]).toEqual([77, `coordinator: No. ${hint} [COORD_AUTH_REQUIRED]\n`])
  })

  it('of another program ends with 69: it is not the coordinator that refuses', async () => {
    await withAnswers(
      (_request, response) => response.writeHead(401).end('<h1>Sign in</h1>'),
      async (url) => expect((await runInProcess(['services', '--url', url])).code).toBe(69),
    )
  })
})
