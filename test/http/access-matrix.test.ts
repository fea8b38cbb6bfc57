import { describe, expect, it } from 'vitest'
import { type AccessScope, adminToken, bearer, type PlainAnswer, plainly, withAccess } from './with-access.ts'

const scopes = ['read', 'register', 'graph', 'metrics', 'admin'] as const
type ScopeName = (typeof scopes)[number]

/** Who may use a route: everybody, everybody with a credential, or whoever has one of these scopes. */
type Who = 'public' | 'caller' | readonly ScopeName[]

const read: Who = ['read']
const register: Who = ['register']
const graph: Who = ['graph']
const metrics: Who = ['metrics']
const admin: Who = []

/** `admin` may do everything, and is therefore not written down. A route that is missing here fails the test. */
const table: Readonly<Record<string, Who>> = {
  'GET /': 'public',
  'GET /docs': 'public',
  'GET /docs/errors': 'public',
  'GET /docs/style.css': 'public',
  'GET /docs/reference.js': 'public',
  'GET /console': 'public',
  'GET /console/*': 'public',
  'GET /console/assets/:file': 'public',
  'GET /console/licenses.txt': 'public',
  'GET /openapi.json': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /access': 'caller',
  'GET /health': ['read', 'metrics'],
  'GET /metrics': metrics,
  'GET /database': metrics,
  'GET /tokens': admin,
  'POST /tokens': admin,
  'DELETE /tokens/:id': admin,
  'GET /register': ['read', 'register'],
  'POST /register': register,
  'POST /register/batch': register,
  'POST /register/:serviceId/migration': register,
  'GET /services': read,
  'GET /namespaces': read,
  'GET /registry': read,
  'GET /services/:serviceId': read,
  'GET /services/:serviceId/history': read,
  'PUT /services/:serviceId/heartbeat': register,
  'DELETE /services/:serviceId': register,
  'GET /changes': read,
  'GET /changes/density': read,
  'GET /snapshot': read,
  ...Object.fromEntries(
    ['/knowledge-graph', '/graph'].flatMap((prefix) => [
      [`GET ${prefix}`, read],
      ...[
        'impact',
        'dependencies',
        'neighbors',
        'paths',
        'cycles',
        'critical',
        'unresolved',
        'orphans',
        'overview',
      ].map((question) => [`GET ${prefix}/${question}`, read]),
      [`GET ${prefix}/diff`, read],
      [`POST ${prefix}/simulate`, read],
      [`POST ${prefix}/rebuild`, admin],
      ...['nodes', 'edges'].flatMap((kind) => [
        [`GET ${prefix}/${kind}/:id`, read],
        [`GET ${prefix}/${kind}/:id/history`, read],
        [`PUT ${prefix}/${kind}/:id`, graph],
        [`PATCH ${prefix}/${kind}/:id`, graph],
        [`DELETE ${prefix}/${kind}/:id`, graph],
      ]),
    ]),
  ),
}

function may(who: Who, scope: ScopeName): boolean {
  return who === 'public' || who === 'caller' || scope === 'admin' || who.includes(scope)
}

/** What is there: a method and a path, and who may use it. */
interface Case {
  readonly method: string
  readonly path: string
  readonly who: Who
}

const ids: Readonly<Record<string, string>> = { serviceId: 'none', id: 'team:none' }

const cases: readonly Case[] = Object.entries(table).flatMap(([route, who]) => {
  const [method = '', pattern = ''] = route.split(' ')
  const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => ids[name] ?? '')
  return method === 'GET'
    ? [
        { method, path, who },
        { method: 'HEAD', path, who },
      ]
    : [{ method, path, who }]
})

/** Other texts for the same path. */
function respelled({ method, path, who }: Case): Case[] {
  const encoded = path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
  return [
    { method, path: `${path}/?`, who },
    { method, path: encoded === path ? `${path}?x` : encoded, who },
    { method, path: `http://127.0.0.1${path}`, who },
  ]
}

/** Texts that look like a path, and are none. */
function misspelled({ method, path }: Case): Case[] {
  const texts = [`/.${path}`, `/%2e${path}`, `/%2e%2e${path}`, `/docs/..${path}`, `/health/live/..${path}`]
  const others = [
    `/${path}`,
    path.toUpperCase(),
    `${path}//`,
    `${path};/docs`,
    `/docs/%2e%2e${path}`,
    `${path}%00`,
  ]
  const all = [...texts, ...(path === '/' ? [] : others)]
  // Below `/console/` every path is the same page, which holds no state.
  const wrong = all.filter((text) => !text.startsWith('/console/'))
  return wrong.map((text) => ({ method, path: text, who: 'caller' }))
}

interface Denial {
  readonly status: number
  readonly code: string
  readonly challenge: RegExp
}

const denials = {
  none: { status: 401, code: 'COORD_AUTH_REQUIRED', challenge: /^Bearer realm="coordinator"$/ },
  bad: { status: 401, code: 'COORD_CREDENTIAL_INVALID', challenge: /error="invalid_token"$/ },
  expired: { status: 401, code: 'COORD_CREDENTIAL_EXPIRED', challenge: /error="invalid_token"$/ },
  revoked: { status: 401, code: 'COORD_CREDENTIAL_REVOKED', challenge: /error="invalid_token"$/ },
  scope: {
    status: 403,
    code: 'COORD_SCOPE_MISSING',
    challenge: /error="insufficient_scope", scope="[a-z]+"$/,
  },
} as const satisfies Record<string, Denial>

async function send(
  { port }: AccessScope,
  { method, path }: Case,
  token: string | undefined,
): Promise<PlainAnswer> {
  const withBody = method === 'POST' || method === 'PUT' || method === 'PATCH'
  return plainly(port, {
    method,
    path,
    headers: {
      ...(token === undefined ? {} : bearer(token)),
      ...(withBody ? { 'content-type': 'application/json', 'content-length': '2' } : {}),
    },
    ...(withBody ? { body: '{}' } : {}),
  })
}

function told({ status, headers, text }: PlainAnswer, method: string) {
  return {
    status,
    ...(method === 'HEAD' ? {} : { code: (JSON.parse(text) as { readonly code: string }).code }),
    challenge: headers['www-authenticate'],
  }
}

function expectDenied(
  what: Case,
  answer: PlainAnswer,
  { status, code, challenge }: Denial,
  by: string,
): void {
  const { method, path } = what
  expect({ by, method, path, ...told(answer, method) }).toEqual({
    ...{ by, method, path, status },
    ...(method === 'HEAD' ? {} : { code }),
    challenge: expect.stringMatching(challenge),
  })
}

function expectAllowed({ method, path }: Case, { status, headers }: PlainAnswer, by: string): void {
  const denied = status === 401 || status === 403 || status >= 500
  expect({ by, method, path, status: denied ? status : 'allowed' }).toEqual({
    ...{ by, method, path },
    status: 'allowed',
  })
  expect(headers['www-authenticate']).toBeUndefined()
}

/** One token of each scope, for each of these ends. */
async function makeTokens(scope: AccessScope) {
  const of = async (texts: readonly string[]) => {
    const soon = Date.now() + 60_000
    const [right, expired, revoked] = await Promise.all([
      scope.tokenWith(texts),
      scope.tokenWith(texts, soon),
      scope.tokenWith(texts),
    ])
    await scope.access.revokeToken(revoked.id, 'test')
    return { right: right.token, expired: expired.token, revoked: revoked.token }
  }
  const tokens = await Promise.all(
    scopes.map(async (name) => [name, await of([name === 'register' ? 'register:*/*' : name])] as const),
  )
  scope.later(61_000)
  return new Map(tokens)
}

/** Every credential that is none, and how it is denied. */
function badCredentials(tokens: Awaited<ReturnType<typeof makeTokens>>) {
  const { right } = tokens.get('admin') as { readonly right: string }
  const other = right.endsWith('0') ? '1' : '0'
  return [
    ['none', undefined, denials.none],
    ['bad: with a wrong checksum', right.slice(0, -1) + other, denials.bad],
    ['bad: the secret of the environment, cut off', adminToken.slice(0, -1), denials.bad],
    ...[...tokens].flatMap(([name, { expired, revoked }]) => [
      [`expired: ${name}`, expired, denials.expired] as const,
      [`revoked: ${name}`, revoked, denials.revoked] as const,
    ]),
  ] as const
}

describe('access: every route', () => {
  it('is in the table of this test', () =>
    withAccess(async ({ server }) => {
      const served = server.routes.map(({ method, pattern }) => `${method} ${pattern}`)
      expect(served.sort()).toEqual(Object.keys(table).sort())
    }))

  it('is served to those with its scope, and to nobody else, however its path is written', () =>
    withAccess(async (scope) => {
      const tokens = await makeTokens(scope)
      for (const one of cases)
        for (const what of [one, ...respelled(one)])
          for (const [name, { right }] of tokens) {
            const answer = await send(scope, what, right)
            if (may(what.who, name)) expectAllowed(what, answer, name)
            else expectDenied(what, answer, denials.scope, name)
          }
    }))

  it('is served to nobody with a credential that is none, and those of the public list to everybody', () =>
    withAccess(async (scope) => {
      const bad = badCredentials(await makeTokens(scope))
      for (const one of cases)
        for (const what of [one, ...respelled(one)])
          for (const [name, token, denial] of bad) {
            const answer = await send(scope, what, token)
            if (what.who === 'public') expectAllowed(what, answer, name)
            else expectDenied(what, answer, denial, name)
          }
    }))

  it('has no other path: what looks like one is unknown to callers, and shows nothing to others', () =>
    withAccess(async (scope) => {
      const tokens = await makeTokens(scope)
      const { right } = tokens.get('metrics') as { readonly right: string }
      for (const what of cases.flatMap(misspelled)) {
        expectDenied(what, await send(scope, what, undefined), denials.none, 'none')
        const { method, path } = what
        const { status } = await send(scope, what, right)
        expect({ method, path, status: status === 403 ? 404 : status }).toEqual({ method, path, status: 404 })
      }
    }))

  it('takes no other method, which only callers learn', () =>
    withAccess(async (scope) => {
      const { right } = (await makeTokens(scope)).get('read') as { readonly right: string }
      for (const { path } of cases.filter(({ method }) => method === 'GET'))
        for (const method of ['OPTIONS', 'QUERY', 'PROPFIND']) {
          const what: Case = { method, path, who: 'caller' }
          expectDenied(what, await send(scope, what, undefined), denials.none, 'none')
          expect({ method, path, status: (await send(scope, what, right)).status }).toEqual({
            ...{ method, path },
            status: 405,
          })
        }
    }))
})
