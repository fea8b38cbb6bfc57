import type { SessionKind } from '../../config/postgres/postgres-url.ts'
import { CoordinatorError } from '../../errors.ts'
import { Cluster, type ConnectionSource } from './cluster.ts'
import { type Connection, nameOf, type ServerFacts } from './connection.ts'
import type { PostgresSettings } from './options.ts'

/** Whether a server is of the kind that the URL asks for (libpq documentation, `target_session_attrs`). */
const isOfKind: Readonly<Record<SessionKind, (facts: ServerFacts) => boolean>> = {
  any: () => true,
  'read-write': ({ writable }) => writable,
  'read-only': ({ writable }) => !writable,
  primary: ({ standby }) => !standby,
  standby: ({ standby }) => standby,
  'prefer-standby': ({ standby }) => standby,
}

/**
 * The hosts of one replica. If there are several and the URL asks for no kind, a standby is preferred, because reads should spare the
 * primary. Until a session ends, all connections lead to one of them: the role that one tells must not be taken for that of another.
 */
export class ReplicaHosts implements ConnectionSource {
  readonly #settings: PostgresSettings
  readonly #preferred: Cluster
  /** All hosts, if none is of the preferred kind. */
  readonly #others: Cluster | undefined
  #epoch = 0
  /** The host of all connections of an epoch. */
  #chosen: { readonly epoch: number; readonly host: Cluster } | undefined
  #choosing: Promise<unknown> | undefined

  constructor(settings: PostgresSettings) {
    const { hosts, sessionKind = 'prefer-standby' } = settings.target
    const prefers = sessionKind === 'prefer-standby'
    this.#settings = settings
    this.#preferred =
      prefers && hosts.length === 1
        ? anyOf(settings)
        : new Cluster(settings, (connection) => refusalOf(connection, sessionKind))
    this.#others = prefers && hosts.length > 1 ? anyOf(settings) : undefined
  }

  get epoch(): number {
    return this.#epoch
  }

  suspect(): void {
    this.#epoch += 1
  }

  /** The first connection of an epoch chooses the host, and those that are asked for meanwhile wait for that. */
  async connect(): Promise<Connection> {
    if (this.#settings.target.hosts.length === 1) return this.#preferred.connect()
    while (this.#choosing !== undefined) await this.#choosing
    if (this.#chosen?.epoch === this.#epoch) {
      try {
        return await this.#chosen.host.connect()
      } catch {
        // Another host may answer.
        this.suspect()
        return this.connect()
      }
    }
    const choosing = this.#choose()
    const done = () => {
      this.#choosing = undefined
    }
    this.#choosing = choosing.then(done, done)
    return choosing
  }

  async #choose(): Promise<Connection> {
    const epoch = this.#epoch
    const connection = await this.#find()
    const target = { ...this.#settings.target, hosts: [connection.host] }
    this.#chosen = { epoch, host: anyOf({ ...this.#settings, target }) }
    return connection
  }

  async #find(): Promise<Connection> {
    if (this.#others === undefined) return this.#preferred.connect()
    // If no host answers at all, the other search says why.
    const found = await this.#preferred.connect().catch(() => undefined)
    return found ?? this.#others.connect()
  }
}

function anyOf(settings: PostgresSettings): Cluster {
  return new Cluster(settings, () => undefined)
}

function refusalOf({ facts, host }: Connection, kind: SessionKind): CoordinatorError | undefined {
  if (isOfKind[kind](facts)) return undefined
  const found = facts.standby ? 'a standby' : facts.writable ? 'a primary' : 'read-only'
  return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
    detail: `The server ${nameOf(host)} is ${found}, and the URL asks for target_session_attrs=${kind}.`,
  })
}
