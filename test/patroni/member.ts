import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { FaultProxy } from '../support/fault-proxy.ts'
import { freePort } from '../support/free-port.ts'
import { patroniConfig, superuserPassword } from './configuration.ts'
import { EtcdLine } from './etcd-line.ts'
import { type Home, Program, processesIn, signalAll } from './program.ts'

export interface MemberOptions {
  readonly home: Home
  readonly name: string
  readonly etcdPort: number
}

/** What a server says of itself. */
export interface ServerState {
  readonly primary: boolean
  readonly timeline: number
  /** Names of the standbys for which its commits wait. */
  readonly standbys: readonly string[]
}

const stateQuery = `select not pg_is_in_recovery() as primary,
  case when pg_is_in_recovery() then 0 else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end as timeline,
  array(select application_name from pg_stat_replication where sync_state = 'sync') as standbys`

/** One machine of the cluster: Patroni and its PostgreSQL. */
export class Member {
  readonly name: string
  readonly port: number
  readonly restPort: number
  /** How coordinators, or HAProxy, reach its PostgreSQL. */
  readonly line: FaultProxy
  /** How its Patroni reaches etcd. */
  readonly etcdLine: EtcdLine
  readonly #folder: string
  readonly #patroni: Program

  private constructor(
    { home, name }: MemberOptions,
    { port, restPort }: { readonly port: number; readonly restPort: number },
    { line, etcdLine }: { readonly line: FaultProxy; readonly etcdLine: EtcdLine },
  ) {
    this.name = name
    this.port = port
    this.restPort = restPort
    this.line = line
    this.etcdLine = etcdLine
    this.#folder = join(home.path, name)
    mkdirSync(this.#folder, { mode: 0o700 })
    home.own(this.#folder)
    const config = patroniConfig({ name, folder: this.#folder, port, restPort, etcdPort: etcdLine.port })
    writeFileSync(join(this.#folder, 'patroni.yml'), config)
    this.#patroni = new Program(this.#folder, ['patroni', 'patroni.yml'])
  }

  static async make(options: MemberOptions): Promise<Member> {
    const [port, restPort] = [await freePort(), await freePort()]
    const etcdLine = await EtcdLine.start(options.etcdPort)
    return new Member(options, { port, restPort }, { line: await FaultProxy.start(port), etcdLine })
  }

  /** Starts Patroni, which starts PostgreSQL. */
  start(): void {
    this.#patroni.start()
  }

  /** `kill -9` of Patroni alone. */
  killPatroni(): Promise<void> {
    return this.#patroni.kill()
  }

  /** `kill -9` of PostgreSQL alone. */
  killPostgres(): void {
    const [pid = ''] = readFileSync(join(this.#folder, 'data', 'postmaster.pid'), 'utf8').split('\n')
    signalAll([Number(pid)], 'SIGKILL')
  }

  /** Stops all of it where it is, as a machine that hangs, until `resume()`. */
  freeze(): void {
    // Twice: a process may have started another one meanwhile.
    for (let time = 0; time < 2; time += 1) signalAll(processesIn(this.#folder), 'SIGSTOP')
  }

  resume(): void {
    signalAll(processesIn(this.#folder), 'SIGCONT')
  }

  /** Ends all of it at once and starts it again, as a watchdog does with a machine. */
  async reset(): Promise<void> {
    signalAll(processesIn(this.#folder), 'SIGKILL')
    await this.#patroni.kill()
    this.start()
  }

  /** `undefined` where it does not answer at once. */
  async state(): Promise<ServerState | undefined> {
    try {
      const [state] = await this.query<ServerState>(stateQuery, { database: 'postgres', timeoutMs: 500 })
      return state
    } catch {
      return undefined
    }
  }

  /** Runs SQL as the superuser, on a connection of its own that does not go through the proxy. */
  async query<Row = Record<string, unknown>>(
    text: string,
    { database = 'coordinator', timeoutMs = 60_000 } = {},
  ): Promise<Row[]> {
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port: this.port, user: 'postgres', password: superuserPassword, database },
      ...{ connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs },
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query(text)).rows as Row[]
    } finally {
      // A server that hangs would not take part in an orderly end.
      client.connection.stream.destroy()
    }
  }

  /** Asks Patroni. `undefined` where it does not answer at once. */
  async ask(path: string, body?: unknown): Promise<Response | undefined> {
    const request =
      body === undefined
        ? {}
        : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const signal = AbortSignal.timeout(body === undefined ? 1_000 : 30_000)
    return fetch(`http://127.0.0.1:${this.restPort}${path}`, { ...request, signal }).catch(() => undefined)
  }

  get lastWords(): string {
    return `${this.name}, ${this.#patroni.lastWords}`
  }

  async dispose(): Promise<void> {
    await this.line.refuse()
    await this.etcdLine.cut()
  }
}
