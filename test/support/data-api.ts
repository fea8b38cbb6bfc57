import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { DataApiSettings, DataApiStart } from './data-api-process.ts'
import { freePort } from './free-port.ts'

/** Keys as Supabase makes them. */
export interface ProjectKeys {
  readonly secretKey: string
  readonly publishableKey: string
  /** Comes with the role `authenticated`. */
  readonly userKey: string
}

export function makeKeys(): ProjectKeys {
  const body = () => `${randomBytes(16).toString('base64url').slice(0, 22)}_${randomBytes(4).toString('hex')}`
  return {
    secretKey: `sb_secret_${body()}`,
    publishableKey: `sb_publishable_${body()}`,
    userKey: `sb_publishable_${body()}`,
  }
}

/**
 * The Data API of Supabase Lite over a PostgreSQL database, in a process of its own. It reads the schema once, at its first
 * request: start it after migrating, and anew to make it see what has changed.
 */
export class DataApi {
  readonly port: number
  readonly #settings: DataApiSettings
  #process: ChildProcess | undefined

  private constructor(port: number, settings: DataApiSettings) {
    this.port = port
    this.#settings = settings
  }

  static async start(settings: DataApiSettings): Promise<DataApi> {
    const api = new DataApi(await freePort(), settings)
    await api.start()
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Starts it again, on the port it had. */
  async start(): Promise<void> {
    const child = fork(new URL('./data-api-process.ts', import.meta.url), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, LITE_TELEMETRY: '0', DO_NOT_TRACK: '1' },
    })
    this.#process = child
    let complaint = ''
    child.stderr?.on('data', (chunk) => {
      complaint = (complaint + String(chunk)).slice(-4_000)
    })
    child.send({ settings: this.#settings, port: this.port } satisfies DataApiStart)
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error(`The Data API did not start:\n${complaint}`)
      }),
    ])
    // It ends when its channel to this process closes: it need not keep this process alive.
    child.unref()
    child.channel?.unref()
  }

  async stop(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  /**
   * Starts it again if it hangs: where PostgreSQL dies in the middle of a transaction its driver loses that connection for
   * good, until none is left. The real Data API makes new ones.
   */
  async revive(): Promise<void> {
    const answers = await this.#call(AbortSignal.timeout(1_000)).then(
      () => true,
      () => false,
    )
    if (answers) return
    await this.stop()
    await this.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #call(signal: AbortSignal): Promise<void> {
    const response = await fetch(`${this.url}/rest/v1/rpc/${this.#settings.probe}`, {
      method: 'POST',
      headers: { apikey: this.#settings.secretKey, 'content-type': 'application/json' },
      body: '{"p":{}}',
      signal,
    })
    await response.arrayBuffer()
  }
}
