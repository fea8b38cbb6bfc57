import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished, vi } from 'vitest'

// A machine that is busy with other tests takes seconds to start a process.
vi.setConfig({ testTimeout: 60_000 })

/** Variables that name a setting, or that change what a process prints: a test sets its own. */
const settings =
  /^(AUTH$|AUTH_|BACKUP_|AWS_|LIMIT_|TLS_|TRUSTED_|UNSENT_|STREAMS_|DATABASE_|EXPECT_|SUPABASE_|COORDINATOR_|LOG_|JOURNAL_|POLL_|COMMIT_|AUTO_MIGRATE$|HOST$|PORT$|NODE_OPTIONS$|VITEST)/

export type Env = Readonly<Record<string, string | undefined>>

/** The environment of this process without settings of a coordinator. */
export function plainEnv(more: Env = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !settings.test(name))
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...more }
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Env
  readonly cwd?: string
  readonly input?: string
  /** More arguments of Node.js itself. */
  readonly nodeArgs?: readonly string[]
  /** How many files and connections it may have open; needs bash. @default as many as this process */
  readonly descriptors?: number
  /** File descriptors that it writes to. @default pipes to the test */
  readonly into?: { readonly stdout?: number; readonly stderr?: number }
  /** After how many milliseconds it is killed; `Infinity`: never. @default 60_000 */
  readonly timeoutMs?: number
}

/** How much of what a process wrote last an error shows, in characters. V8 writes some 3,000 when it has no memory left. */
const shownOutput = 5_000

const program = resolve('bin/coordinator.js')
const endWithTheTest = resolve('test/main/end-with-the-test.ts')

/** A coordinator command as a process of its own, which ends with the process of the test at the latest. */
export class CoordinatorProcess {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly #timeoutMs: number
  #stdout = ''
  #stderr = ''
  readonly #sent = new Set<NodeJS.Signals>()
  #isStopped = false
  #isLate = false

  constructor(args: readonly string[], options: RunOptions = {}) {
    const { env = {}, cwd, input, nodeArgs = [], descriptors, into = {}, timeoutMs = 60_000 } = options
    const command = [process.execPath, '--import', endWithTheTest, ...nodeArgs, program, ...args]
    const [file = '', ...rest] =
      descriptors === undefined
        ? command
        : ['bash', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, ...command]
    this.child = spawn(file, rest, {
      env: plainEnv(env),
      stdio: ['pipe', into.stdout ?? 'pipe', into.stderr ?? 'pipe', 'ipc'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.child.stdin?.on('error', () => undefined).end(input)
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk
    })
    this.#timeoutMs = timeoutMs
    const timer = Number.isFinite(timeoutMs) ? setTimeout(() => this.#endLate(), timeoutMs) : undefined
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        clearTimeout(timer)
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  /** Everything that it has written so far. */
  get output(): string {
    return this.#stdout + this.#stderr
  }

  /** Waits until it has written something that matches. */
  async wrote(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const match = pattern.exec(this.output)
      if (match !== null) return match
      if (this.#hasEnded || performance.now() > deadline) {
        const end = this.#hasEnded ? `; ${this.#end}` : ''
        throw new Error(`nothing matched ${pattern}${end} in:\n${this.output}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#sent.add(signal)
    if (signal === 'SIGTERM' || signal === 'SIGINT') this.#isStopped = true
    this.child.kill(signal)
  }

  /** Ends it by any signal, with any exit code. */
  stop(signal: NodeJS.Signals): Promise<Ended> {
    this.#isStopped = true
    this.kill(signal)
    return this.ended
  }

  #endLate(): void {
    this.#isLate = true
    this.child.kill('SIGKILL')
  }

  get #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  get #end(): string {
    const { pid, exitCode, signalCode } = this.child
    const cause = signalCode === null ? `exit code ${exitCode}` : signalCode
    return `process ${pid} ended with ${cause}${this.#isLate ? `, which the test sent after ${this.#timeoutMs} ms` : ''}`
  }

  /** How it ended, and what it wrote last to standard error, if that is not what the signals of the test explain. */
  get unexpectedEnd(): string | undefined {
    if (!this.#hasEnded) return undefined
    const { signalCode } = this.child
    const isTold = signalCode === null ? this.#isStopped : this.#sent.has(signalCode)
    if (isTold) return undefined
    return `${this.#end}; the end of its standard error:\n${this.#stderr.slice(-shownOutput)}`
  }
}

/** Runs a command to its end. */
export function runCoordinator(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new CoordinatorProcess(args, options).ended
}

export interface Serving extends AsyncDisposable {
  readonly url: string
  readonly process: CoordinatorProcess
  /** Ends it, by SIGTERM unless told otherwise. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

/**
 * Starts a coordinator on a free port, and waits until it serves. It is killed at the end of the scope, and has no time limit of its own: a
 * test on a busy machine would lose it before its own time is over. If it ends by itself, the test fails with its last words.
 */
export async function serving(options: Omit<RunOptions, 'timeoutMs'> = {}): Promise<Serving> {
  const env = { PORT: '0', LOG_FORMAT: 'json', ...options.env }
  const process = new CoordinatorProcess(['serve'], { ...options, env, timeoutMs: Number.POSITIVE_INFINITY })
  const url = await servedUrl(process)
  failTestAtUnexpectedEnd(process)
  return {
    url,
    process,
    stop: (signal = 'SIGTERM') => process.stop(signal),
    async [Symbol.asyncDispose]() {
      process.kill('SIGKILL')
      await process.ended
    },
  }
}

/** Adds the reason to a test whose coordinator ended by itself, beside the errors that follow from that. */
function failTestAtUnexpectedEnd(process: CoordinatorProcess): void {
  const check = () => {
    const end = process.unexpectedEnd
    if (end !== undefined) throw new Error(`The coordinator ended by itself: ${end}`)
  }
  try {
    onTestFinished(check)
  } catch {
    // Started for several tests, outside any of them.
    void process.ended.then(() => process.unexpectedEnd && console.error(process.unexpectedEnd))
  }
}

/** Where it serves, once it does. One that does not come so far is ended: nobody else would. */
async function servedUrl(process: CoordinatorProcess): Promise<string> {
  try {
    // The text names no URL if the process listens on all addresses.
    const [, url = ''] = await process.wrote(/"url":"(https?:[^"]+)"[^\n]*listening on /)
    await process.wrote(/the records are loaded/)
    return url
  } catch (thrown) {
    process.kill('SIGKILL')
    await process.ended
    throw thrown
  }
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  readonly body: any
}

/** Sends one request; bodies go as JSON. */
export async function ask(
  url: string,
  method = 'GET',
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? { headers }
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
  })
  const text = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').includes('json')
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

/** A folder that is removed at the end of the scope. */
export async function scratchFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'coordinator-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A registration like the one of the quick check. */
export function registration(serviceName: string, more: Record<string, unknown> = {}) {
  return {
    serviceName,
    version: '1.0.0',
    endpoint: `http://${serviceName}:3000`,
    healthCheck: '/health',
    ...more,
  }
}
