import { SignJWT } from 'jose'
import { compare, type Side } from '../compare.ts'
import { coordinator, registerMany } from '../coordinator-process.ts'
import { registration } from '../load/requests.ts'
import { ratioRow, type Scenario } from '../scenario.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { getSide } from './reads.ts'

const services = 2_000
const adminToken = 'the-administrator-of-this-measurement'
const jwtSecret = 'the-secret-that-signs-in-this-measurement'
const issuer = 'https://issuer.example'
const audience = 'bench'

/** `GET /services/:id` with a credential against the same where access is open. */
export const readsAccess: Scenario = {
  name: 'reads-access',
  title: 'Reading one service, with a credential',
  async run(options) {
    const open = await startServer(coordinator())
    const closed = await startServer(
      coordinator({
        AUTH: 'required',
        AUTH_ADMIN_TOKEN: adminToken,
        AUTH_JWT_ISSUER: issuer,
        AUTH_JWT_AUDIENCE: audience,
        AUTH_JWT_SECRET: jwtSecret,
      }),
    )
    try {
      const bodies = Array.from({ length: services }, (_, number) => registration('access', number))
      const paths = (await registerMany(open.port, bodies)).map((id) => `/services/${id}`)
      await registerMany(closed.port, bodies, { authorization: `Bearer ${adminToken}` })
      const side = (name: string, server: ServerProcess, credential?: string): Side =>
        getSide(name, server, { paths, options, authorization: credential && `Bearer ${credential}` })
      const against = side('access open', open)
      const token = await compare(
        side('a token', closed, await createToken(closed.port)),
        against,
        options.rounds,
      )
      const jwt = await compare(side('a JWT', closed, await signJwt()), against, options.rounds)
      return [
        ratioRow('`GET /services/:id` with a token, 64 connections, memory', token, { bar: 0.95, aim: 1 }),
        ratioRow('`GET /services/:id` with a JWT, 64 connections, memory', jwt, { bar: 0.9, aim: 1 }),
      ]
    } finally {
      await Promise.all([open.stop(), closed.stop()])
    }
  },
}

async function createToken(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ name: 'bench', scopes: ['read'] }),
  })
  if (!response.ok) throw new Error(`No token: ${await response.text()}`)
  return ((await response.json()) as { token: string }).token
}

function signJwt(): Promise<string> {
  return new SignJWT({ scope: 'read' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('bench')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(jwtSecret))
}
