import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export interface PoolerLogin {
  readonly type: 'any' | 'plain' | 'md5' | 'scram-sha-256'
  /** Of the role `somebody`. */
  readonly password?: string
}

/** A pooler that gives every transaction another session of the server's, of which it has only two. */
export class PgBouncer {
  readonly port: number
  readonly #home: string
  readonly #target: number
  #process: ChildProcess | undefined

  private constructor(home: string, port: number, target: number) {
    this.#home = home
    this.port = port
    this.#target = target
  }

  /** A pooler that is not started yet, before a server on this machine. */
  static async before(target: number): Promise<PgBouncer> {
    const home = mkdtempSync(join(tmpdir(), 'coordinator-pgbouncer-'))
    if (process.getuid?.() === 0) chownSync(home, 65_534, 65_534)
    return new PgBouncer(home, await freePort(), target)
  }

  /** @param login how clients log in: by default anybody is `postgres` at the server */
  async start(login: PoolerLogin = { type: 'any' }): Promise<void> {
    const file = join(this.#home, 'pgbouncer.ini')
    const users = join(this.#home, 'users')
    const { type, password } = login
    writeFileSync(users, `"somebody" "${password}"\n`)
    writeFileSync(
      file,
      `[databases]
postgres = host=127.0.0.1 port=${this.#target} user=postgres
away = host=127.0.0.1 port=1 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${this.port}
unix_socket_dir =
auth_type = ${type}
auth_file = ${users}
pool_mode = transaction
default_pool_size = 2
max_client_conn = 50
query_wait_timeout = 5
logfile = ${join(this.#home, 'log')}
`,
    )
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    this.#process = spawn(programPath(), [file], { stdio: 'ignore', ...user })
    for (let attempt = 0; attempt < 200 && !(await answers(this.port)); attempt += 1) await sleep(20)
  }

  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    this.#process = undefined
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  async dispose(): Promise<void> {
    await this.stop()
    rmSync(this.#home, { recursive: true, force: true })
  }
}

function programPath(): string {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'])
    try {
      accessSync(join(folder, 'pgbouncer'))
      return join(folder, 'pgbouncer')
    } catch {
      // Not in this folder.
    }
  throw new Error('PgBouncer is not installed: run `apt-get install pgbouncer`.')
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
