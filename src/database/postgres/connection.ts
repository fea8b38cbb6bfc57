import { connect as connectSocket, Socket } from 'node:net'
import pg from 'pg'
import type { PostgresHost } from '../../config/postgres/postgres-url.ts'
import { CoordinatorError, type WriteOutcome } from '../../errors.ts'
import { requireChannelBinding } from './channel-binding.ts'
import {
  endsSession,
  refusesEncryption,
  saysUnreplicated,
  translateError,
  translateRefusal,
  type UnreplicatedNotice,
  unreplicated,
} from './errors.ts'
import type { PostgresSettings } from './options.ts'
import { type FileLogin, findPassword } from './password-file.ts'
import { refuseGarbage } from './refuse-garbage.ts'
import { type Encryption, encryptionAttempts } from './tls.ts'

/** One row. Every value is text, as PostgreSQL prints it. */
export type Row = Readonly<Record<string, string | null>>

export interface Statement {
  readonly text: string
  readonly values?: readonly string[]
  /** The purpose, for error texts: `committing`. */
  readonly doing: string
  /** For writes: the outcome if no answer comes. Such a statement is not cancelled at the server after its deadline; see `#within`. */
  readonly unanswered?: WriteOutcome
  /** @default the setting `callTimeoutMs` (milliseconds) */
  readonly timeoutMs?: number
}

interface Limits {
  readonly timeoutMs: number
  readonly doing: string
  /** Whether the server is asked to stop what takes too long. */
  readonly isCancelled: boolean
}

/** Facts about the server, read when the connection was made. */
export interface ServerFacts {
  /** Whether the server takes writes: it is neither a standby nor read-only. */
  readonly writable: boolean
  /** Whether the server replays the journal of another server. */
  readonly standby: boolean
  readonly utf8: boolean
  /** Process id of the session on the server. Behind a pooler, it differs from the one that the driver was told. */
  readonly pid: number
  /** Whether there is a pooler. Each statement may then use another session. */
  readonly pooled: boolean
}

// A single statement for every new connection: several would make connecting slow over long distances.
const factsQuery = `select pg_is_in_recovery()::text as standby, current_setting('transaction_read_only') as read_only,
  current_setting('server_encoding') as encoding, pg_backend_pid()::text as pid`

// A reply is JSON text, which the caller parses: the driver must not convert it.
const asText = { getTypeParser: () => (value: string | null) => value }

/**
 * One connection. It keeps no state on the server (no prepared statement, no `set`), so that it may go through a pooler. A call that waits
 * too long destroys it: a half-open connection is never used again.
 */
export class Connection {
  readonly host: PostgresHost
  readonly #client: pg.Client
  readonly #socket: Socket
  readonly #settings: PostgresSettings
  readonly createdAt = performance.now()
  usedAt = performance.now()
  #broken = false
  /** Set if the server has said during this statement that its commit may be on no standby. */
  #unreplicated: UnreplicatedNotice | undefined
  readonly #requireBinding: () => void
  #facts: ServerFacts | undefined

  private constructor(
    host: PostgresHost,
    settings: PostgresSettings,
    { encryption, password }: { readonly encryption: Encryption; readonly password: string | undefined },
  ) {
    const { user, database, options, applicationName, channelBinding, tls } = settings.target
    const isEncrypted = encryption !== false
    this.host = host
    this.#settings = settings
    this.#socket = new Socket()
    this.#client = new pg.Client({
      host: host.address ?? host.host,
      port: host.port,
      user,
      // A function keeps the driver from looking into variables and files by itself.
      password: () => password,
      database,
      options,
      ssl: encryption,
      sslnegotiation: isEncrypted && tls.direct ? 'direct' : 'postgres',
      enableChannelBinding: isEncrypted && channelBinding !== 'disable',
      stream: () => this.#socket,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      application_name: applicationName,
      types: asText,
    } as pg.ClientConfig)
    refuseGarbage(this.#client)
    // Without a listener, a server that ends the session would end this process.
    this.#client.on('error', () => this.destroy())
    this.#client.on('notice', (notice) => {
      if (saysUnreplicated(notice)) this.#unreplicated = notice
    })
    this.#requireBinding =
      channelBinding === 'require' ? requireChannelBinding(this.#client) : () => undefined
  }

  /**
   * Connects to one host, with each kind of encryption that the mode allows.
   *
   * @throws a COORD_STORE_* error
   */
  static async open(host: PostgresHost, settings: PostgresSettings): Promise<Connection> {
    const { target } = settings
    const attempts = isSocket(host) ? [false as const] : encryptionAttempts(target.tls, host.host)
    const login: FileLogin =
      target.password === undefined ? findPassword(host, target) : { password: target.password.reveal() }
    for (const [index, encryption] of attempts.entries()) {
      const connection = new Connection(host, settings, { encryption, password: login.password })
      try {
        await connection.#connect()
        return connection
      } catch (thrown) {
        connection.destroy()
        if (index === attempts.length - 1 || !refusesEncryption(thrown))
          throw translateRefusal(thrown, {
            doing: `connecting to ${nameOf(host)}`,
            login,
          })
      }
    }
    throw new CoordinatorError('COORD_INTERNAL')
  }

  get broken(): boolean {
    return this.#broken
  }

  /** The number of bytes that have arrived so far. As long as it grows, the connection works. */
  get bytesReceived(): number {
    return this.#socket.bytesRead
  }

  get facts(): ServerFacts {
    return this.#facts as ServerFacts
  }

  /**
   * Runs one statement. Without values it may be several statements, which run as one transaction.
   *
   * @throws a COORD_STORE_* error; COORD_STORE_TIMEOUT after the deadline, and the connection is then closed; COORD_STORE_UNREPLICATED if the
   * server has committed but did not wait for its synchronous standby
   */
  async run({ text, values, doing, unanswered, timeoutMs }: Statement): Promise<readonly Row[]> {
    const failure = { doing, ...(unanswered === undefined ? {} : { unanswered }) }
    const limits = {
      timeoutMs: timeoutMs ?? this.#settings.callTimeoutMs,
      doing,
      isCancelled: unanswered === undefined,
    }
    // A notice that came between two statements is about neither of them.
    this.#unreplicated = undefined
    try {
      const rows = await this.#within(limits, async () => {
        const result = await this.#client.query(
          values === undefined ? { text } : { text, values: [...values] },
        )
        const last = Array.isArray(result) ? result.at(-1) : result
        return last.rows as Row[]
      })
      // To the driver such a commit is a success. The connection is closed with it: perhaps another server is the primary now.
      if (this.#unreplicated !== undefined) throw unreplicated(this.#unreplicated, failure)
      return rows
    } catch (thrown) {
      if (endsSession(thrown)) this.destroy()
      // The server says the same before it ends a session that waits for the standby.
      if (this.#unreplicated !== undefined) throw unreplicated(this.#unreplicated, failure)
      throw thrown instanceof CoordinatorError && unanswered !== undefined
        ? thrown.withOutcome(unanswered)
        : translateError(thrown, { ...failure, doing: `${doing} at ${nameOf(this.host)}` })
    } finally {
      this.usedAt = performance.now()
    }
  }

  /** Closes the connection at once. Statements in progress fail, and their outcome is unknown. */
  destroy(): void {
    if (this.#broken) return
    this.#broken = true
    this.#socket.destroy()
  }

  /** Ends the session in order, within a second at most. */
  async close(): Promise<void> {
    if (this.#broken) return
    const timer = setTimeout(() => this.destroy(), 1_000)
    // A connection that breaks now has ended, too.
    await this.#client.end().catch(() => undefined)
    clearTimeout(timer)
    this.destroy()
  }

  async #connect(): Promise<void> {
    const doing = `connecting to ${nameOf(this.host)}`
    const limits = { timeoutMs: this.#settings.connectTimeoutMs, doing, isCancelled: true }
    await this.#within(limits, async () => {
      await this.#client.connect()
      this.#requireBinding()
      const { rows } = await this.#client.query(factsQuery)
      const [row] = rows as Row[]
      const pid = Number(row?.['pid'])
      this.#facts = {
        writable: row?.['standby'] === 'false' && row['read_only'] === 'off',
        standby: row?.['standby'] === 'true',
        utf8: row?.['encoding'] === 'UTF8',
        pid,
        pooled: pid !== this.#cancelKey.pid,
      }
    })
  }

  /**
   * Ends work that takes too long, together with the connection. A read is cancelled at the server, too. A write is not: the server may only
   * be waiting for its synchronous standby, and cancelling that wait would show everybody a commit that a failover loses. What an abandoned
   * write still does is harmless, because its attempt is over, and it waits for locks for 5 seconds at most.
   */
  async #within<T>({ timeoutMs, doing, isCancelled }: Limits, work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (isCancelled) this.#cancel()
        this.destroy()
        reject(
          new CoordinatorError('COORD_STORE_TIMEOUT', {
            detail: `The database did not answer within ${timeoutMs} ms while ${doing}.`,
          }),
        )
      }, timeoutMs)
    })
    const working = work()
    // After the deadline the work fails, too, and nobody waits for it any more.
    working.catch(() => undefined)
    try {
      return await Promise.race([working, tooLate])
    } finally {
      clearTimeout(timer)
    }
  }

  get #cancelKey(): { readonly pid: number | null; readonly key: number | null } {
    const { processID, secretKey } = this.#client as unknown as {
      processID: number | null
      secretKey: number | null
    }
    return { pid: processID, key: secretKey }
  }

  /**
   * Asks the server to cancel the statement of this connection, because it would not notice that nobody waits any more. The request goes
   * over a separate connection, and gets no answer (PostgreSQL documentation, "Canceling Requests in Progress").
   */
  #cancel(): void {
    const { pid, key } = this.#cancelKey
    if (pid === null || key === null) return
    const packet = Buffer.alloc(16)
    packet.writeInt32BE(16, 0)
    packet.writeInt32BE(80_877_102, 4)
    packet.writeInt32BE(pid, 8)
    packet.writeInt32BE(key, 12)
    const { host, port, address = host } = this.host
    const socket = isSocket(this.host)
      ? connectSocket(`${host}/.s.PGSQL.${port}`)
      : connectSocket(port, address)
    // If the server cannot be reached, its session ends by itself.
    socket.on('error', () => socket.destroy())
    socket.setTimeout(2_000, () => socket.destroy())
    socket.end(packet)
    socket.unref()
  }
}

/** libpq connects to an address where one is given, whatever the host is. */
function isSocket({ host, address }: PostgresHost): boolean {
  return address === undefined && host.startsWith('/')
}

export function nameOf({ host, port }: PostgresHost): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
