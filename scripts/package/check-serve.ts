import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { consumerEnv, run } from './run.ts'

const startTimeoutMs = 20_000

/** `npx coordinator serve`, as somebody runs it who installed the package. */
export async function checkServe(folder: string): Promise<void> {
  const version = await run('npx', ['coordinator', '--version'], { cwd: folder })
  if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`coordinator --version printed ${version}`)
  await register(folder, {}, 'memory')
  const database = { DATABASE_URL: 'sqlite:./coordinator.db' }
  const first = await register(folder, database, 'sqlite')
  const second = await register(folder, database, 'sqlite')
  if (first.revision !== second.revision || second.changed)
    throw new Error(`the second run on SQLite answered ${JSON.stringify(second)}`)
}

interface Registered {
  readonly revision: number
  readonly changed: boolean
  readonly storage: { readonly backend: string }
}

async function register(folder: string, env: NodeJS.ProcessEnv, backend: string): Promise<Registered> {
  const server = spawn('npx', ['coordinator', 'serve'], {
    cwd: folder,
    env: consumerEnv({ PORT: '0', LOG_FORMAT: 'json', ...env }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => server.on('close', resolve))
  const timer = setTimeout(() => server.kill('SIGKILL'), startTimeoutMs)
  try {
    const url = await listeningUrl(server.stdout)
    const answer = await fetch(`${url}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ serviceName: 'packed', version: '1.0.0', endpoint: 'http://packed:1' }),
    })
    const registered = (await answer.json()) as Registered
    if (registered.storage?.backend !== backend)
      throw new Error(`${backend}: POST /register answered ${answer.status} ${JSON.stringify(registered)}`)
    server.kill('SIGTERM')
    const code = await ended
    if (code !== 0) throw new Error(`${backend}: SIGTERM ended it with ${code}`)
    return registered
  } finally {
    clearTimeout(timer)
    server.kill('SIGKILL')
  }
}

async function listeningUrl(log: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: log })) {
    const url = /listening on (http:[^"\s]+)/.exec(line)?.[1]
    if (url !== undefined) {
      log.resume()
      return url
    }
  }
  throw new Error('coordinator serve ended before it listened')
}
