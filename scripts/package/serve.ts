import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { consumerEnv } from './run.ts'

export interface Served {
  readonly child: ChildProcess
  /** Its exit code, when nobody writes to its output any more. */
  readonly ended: Promise<number | null>
  readonly url: string
}

export interface ServeOptions {
  /** @default the command that npm installed */
  readonly program?: 'npx'
  readonly env?: NodeJS.ProcessEnv
  /** When it is killed. @default 20_000 (milliseconds) */
  readonly timeoutMs?: number
}

/** Starts `coordinator serve` in a folder where the package is installed. Resolves when it serves. */
export async function serve(folder: string, options: ServeOptions = {}): Promise<Served> {
  const { program = join('node_modules', '.bin', 'coordinator'), env = {}, timeoutMs = 20_000 } = options
  const child = spawn(program, [...(program === 'npx' ? ['coordinator'] : []), 'serve'], {
    cwd: folder,
    env: consumerEnv({ PORT: '0', LOG_FORMAT: 'json', ...env }),
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that nothing of it is left behind whatever happens.
    detached: true,
  })
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), timeoutMs)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const url = servedUrl(child.stdout)
  return { child, ended: ended.finally(() => clearTimeout(timer)), url: await url }
}

/** Registers a service, as the quick check does. */
export function post(url: string): Promise<Response> {
  return fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ serviceName: 'packed', version: '1.0.0', endpoint: 'http://packed:1' }),
  })
}

/** Reads a log until the records are loaded. @returns the URL of the coordinator */
export async function servedUrl(log: Readable): Promise<string> {
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
