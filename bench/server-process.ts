import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'

/** A server that runs in its own process for the time of a scenario. */
export interface ServerProcess {
  readonly port: number
  readonly pid: number
  /** From spawn to the first good answer, in milliseconds. */
  readonly startMs: number
  stop(): Promise<void>
}

export interface ServerCommand {
  /** Program and arguments; `{port}` is replaced. */
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A path that answers 200 when the server is ready. */
  readonly readyPath: string
  /** @default 30_000 (milliseconds) */
  readonly readyTimeoutMs?: number
}

/** Starts a server on a free port of the loopback interface, and waits until it answers. */
export async function startServer(server: ServerCommand): Promise<ServerProcess> {
  const port = await freePort()
  const [program, ...args] = server.command.map((part) => part.replaceAll('{port}', String(port)))
  const started = performance.now()
  const child = spawn(program as string, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', ...server.env },
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_000)
  })
  const deadline = started + (server.readyTimeoutMs ?? 30_000)
  while (!(await answers(port, server.readyPath))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop(child)
      throw new Error(`${program} did not start (exit ${child.exitCode}): ${errors}`)
    }
    await sleep(10)
  }
  return { port, pid: child.pid as number, startMs: performance.now() - started, stop: () => stop(child) }
}

async function answers(port: number, path: string): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`)).ok
  } catch {
    return false
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(timer)
}
