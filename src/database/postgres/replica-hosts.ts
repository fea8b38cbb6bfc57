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
 * primary.
 */
export class ReplicaHosts implements ConnectionSource {
  readonly #preferred: Cluster
  /** All hosts, if none is of the preferred kind. */
  readonly #others: Cluster | undefined
  #epoch = 0
  #choosing: Promise<void> | undefined

  constructor(settings: PostgresSettings) {
    const { hosts, sessionKind = 'prefer-standby' } = settings.target
    const everyHost = new Cluster(settings, () => undefined)
    const prefers = sessionKind === 'prefer-standby'
    this.#preferred =
      prefers && hosts.length === 1
        ? everyHost
        : new Cluster(settings, (connection) => refusalOf(connection, sessionKind))
    this.#others = prefers && hosts.length > 1 ? everyHost : undefined
  }

  get epoch(): number {
    return this.#epoch
  }

  suspect(): void {
    this.#epoch += 1
  }

  /**
   * The first connection chooses the server, and those that are asked for meanwhile wait for that. Otherwise they could lead to different
   * servers, and the role of one would be taken for that of all.
   */
  async connect(): Promise<Connection> {
    if (this.#choosing !== undefined) {
      await this.#choosing
      return this.#connect()
    }
    const choosing = this.#connect()
    const done = () => {
      this.#choosing = undefined
    }
    this.#choosing = choosing.then(done, done)
    return choosing
  }

  async #connect(): Promise<Connection> {
    if (this.#others === undefined) return this.#preferred.connect()
    const found = await this.#preferred.connect().catch(() => undefined)
    return found ?? this.#others.connect()
  }
}

function refusalOf({ facts, host }: Connection, kind: SessionKind): CoordinatorError | undefined {
  if (isOfKind[kind](facts)) return undefined
  const found = facts.standby ? 'a standby' : facts.writable ? 'a primary' : 'read-only'
  return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
    detail: `The server ${nameOf(host)} is ${found}, and the URL asks for target_session_attrs=${kind}.`,
  })
}
