import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { consumerEnv, run } from './run.ts'

const runTimeoutMs = 20_000

/** `npx coordinator serve`, as somebody runs it who installed the package. */
export async function checkServe(folder: string): Promise<void> {
  const version = await run('npx', ['coordinator', '--version'], { cwd: folder })
  if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`coordinator --version printed ${version}`)
  await stopByNpx(folder)
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
  const { child, ended, url } = await serve(folder, join('node_modules', '.bin', 'coordinator'), env)
  const answer = await fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ serviceName: 'packed', version: '1.0.0', endpoint: 'http://packed:1' }),
  })
  const registered = (await answer.json()) as Registered
  await openConsole(url)
  child.kill('SIGTERM')
  const code = await ended
  if (registered.storage?.backend !== backend)
    throw new Error(`${backend}: POST /register answered ${answer.status} ${JSON.stringify(registered)}`)
  if (code !== 0) throw new Error(`${backend}: SIGTERM ended it with ${code}`)
  return registered
}

/** The console is found in the package, and its page names files that are there. */
async function openConsole(url: string): Promise<void> {
  const page = await (await fetch(`${url}/console/services`)).text()
  const [, script = ''] = /src="([^"]+\.js)"/.exec(page) ?? []
  const { status, headers } = await fetch(new URL(script, `${url}/console/services`))
  if (status !== 200 || !headers.get('content-type')?.startsWith('text/javascript'))
    throw new Error(
      `the console names ${JSON.stringify(script)}, which is answered with ${status}: ${page.slice(0, 500)}`,
    )
}

/** npm does not hand signals on: the coordinator has to notice that it was left behind, and to free its port. */
async function stopByNpx(folder: string): Promise<void> {
  const { child, ended, url } = await serve(folder, 'npx', {})
  child.kill('SIGTERM')
  await ended
  const answers = await fetch(`${url}/health`).then(
    () => true,
    () => false,
  )
  if (answers) throw new Error('npx ended, and its coordinator did not')
}

interface Served {
  readonly child: ChildProcess
  /** Its exit code, when nobody writes to its output any more. */
  readonly ended: Promise<number | null>
  readonly url: string
}

async function serve(folder: string, program: string, env: NodeJS.ProcessEnv): Promise<Served> {
  const child = spawn(program, [...(program === 'npx' ? ['coordinator'] : []), 'serve'], {
    cwd: folder,
    env: consumerEnv({ PORT: '0', LOG_FORMAT: 'json', ...env }),
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that nothing of it is left behind whatever happens.
    detached: true,
  })
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), runTimeoutMs)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const url = servedUrl(child.stdout)
  return { child, ended: ended.finally(() => clearTimeout(timer)), url: await url }
}

async function servedUrl(log: Readable): Promise<string> {
  let text = ''
  for await (const chunk of log.iterator({ destroyOnReturn: false })) {
    text += chunk
    const url = /listening on (http:[^"\s]+)[\s\S]*the records are loaded/.exec(text)?.[1]
    if (url === undefined) continue
    log.resume()
    return url
  }
  throw new Error(`coordinator serve ended before it served:\n${text}`)
}
