/**
 * A process of its own that offers a PostgreSQL database through the Data API of Supabase Lite. It gets its settings as the
 * first message from its parent, says when it listens, and ends with the parent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { App, type Connection } from '@supabase/lite'
import { createPostgresConnection } from '@supabase/lite/postgres'

export interface DataApiSettings {
  readonly databaseUrl: string
  readonly secretKey: string
  readonly publishableKey: string
  /** Stands for a user who has logged in: such tokens need the auth server, which is not started. */
  readonly userKey: string
  /** A function in `public` that is there when it starts. */
  readonly probe: string
  /** Connections to the database. @default 10 */
  readonly poolMax?: number
}

/** The first message to the process. */
export interface DataApiStart {
  readonly settings: DataApiSettings
  readonly port: number
}

interface WebServer {
  fetch(request: Request, context: { peerAddress: string | null }): Response | Promise<Response>
}

process.once('message', (message: DataApiStart) => {
  void start(message)
})
process.once('disconnect', () => process.exit(0))
// Where the database dies at the wrong moment its driver throws into nowhere. The real Data API stays and connects again.
process.on('uncaughtException', (thrown) => console.error('the Data API goes on after', thrown))
// Ctrl-C goes to every process of a terminal: this one is needed until its parent has ended.
process.on('SIGINT', () => undefined)

async function start({ settings, port }: DataApiStart): Promise<void> {
  const connection = createPostgresConnection({
    url: settings.databaseUrl,
    // PostgREST gives up a call whose connection broke; this driver would hold it back for up to 20 s before it connects again.
    postgresOptions: { max: settings.poolMax ?? 10, backoff: () => 0.05 },
  })
  const app = new App({
    connection: connection as unknown as Connection,
    auth: { enabled: false },
    options: {
      server: {
        disableStudio: true,
        admin: false,
        apiKeys: { resolver: async (key: string) => roleOf(key, settings) },
      },
    },
  } as ConstructorParameters<typeof App>[0])
  const server = createServer((request, response) => {
    answer(app, request, response).catch((thrown: unknown) => {
      response.destroy(thrown instanceof Error ? thrown : new Error('The Data API failed.'))
    })
  })
  // As gateways do. After the usual 5 s a client that had no time to notice would send into a closed connection.
  server.keepAliveTimeout = 75_000
  await warmUp(app, settings)
  server.listen(port, '127.0.0.1', () => process.send?.('listening'))
}

/**
 * The first request makes it read the schema, and the first that reaches the database makes it try to grant rights which it
 * does not have here, and fail with 42501. Nobody else may get that answer: it comes before the port is open.
 */
async function warmUp(app: WebServer, { probe, secretKey }: DataApiSettings): Promise<void> {
  const request = new Request(`http://127.0.0.1/rest/v1/rpc/${probe}`, {
    method: 'POST',
    headers: { apikey: secretKey, 'content-type': 'application/json' },
    body: '{"p":{}}',
  })
  const reply = await app.fetch(request, { peerAddress: null })
  await reply.arrayBuffer()
}

function roleOf(key: string, { secretKey, publishableKey, userKey }: DataApiSettings) {
  if (key === secretKey) return { type: 'secret' as const, claims: { role: 'service_role' } }
  if (key === publishableKey) return { type: 'publishable' as const, claims: { role: 'anon' } }
  return key === userKey ? { type: 'publishable' as const, claims: { role: 'authenticated' } } : null
}

async function answer(app: WebServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
  const reply = await app.fetch(
    new Request(new URL(request.url ?? '/', `http://${request.headers.host ?? '127.0.0.1'}`), {
      method: request.method ?? 'GET',
      headers,
      ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
    }),
    { peerAddress: request.socket.remoteAddress ?? null },
  )
  response.writeHead(reply.status, Object.fromEntries(reply.headers))
  response.end(Buffer.from(await reply.arrayBuffer()))
}
