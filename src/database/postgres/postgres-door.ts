import { CoordinatorError } from '../../errors.ts'
import { connectionFor, type Door, type DoorFunction, writes } from '../sql-functions/door.ts'
import type { JournalReader, PoolFigures, PoolObserver } from '../store.ts'
import { Cluster } from './cluster.ts'
import type { Connection } from './connection.ts'
import { Lane } from './lane.ts'
import type { PostgresSettings } from './options.ts'
import { watchCall } from './watch-call.ts'

/** The door by wire: one statement and one round trip for each call, no transaction held over several. */
export class PostgresDoor implements Door {
  readonly #cluster: Cluster
  readonly #schema: string
  readonly #watchAfterMs: number
  readonly #lanes: Readonly<Record<keyof PoolFigures, Lane>>

  constructor(settings: PostgresSettings) {
    this.#cluster = new Cluster(settings)
    this.#schema = settings.schema
    this.#watchAfterMs = settings.watchAfterMs
    const lane = (role: keyof PoolFigures, max: number) => new Lane(this.#cluster, settings, { role, max })
    this.#lanes = {
      writer: lane('writer', 1),
      follower: lane('follower', 1),
      reader: lane('reader', Math.max(1, settings.poolMax - 2)),
    }
  }

  get figures(): PoolFigures {
    const { writer, follower, reader } = this.#lanes
    return { writer: writer.figures, follower: follower.figures, reader: reader.figures }
  }

  observe(observer: PoolObserver): void {
    for (const lane of Object.values(this.#lanes)) lane.observe(observer)
  }

  /** The host that took writes last, for people. */
  get primary(): string | undefined {
    return this.#cluster.primary
  }

  async call(name: DoorFunction, argument: string, reader?: JournalReader): Promise<unknown> {
    const writing = writes(name)
    const role = connectionFor(name, reader)
    let asked = false
    const lent = this.use(role, async (connection) => {
      asked = true
      // The connection that follows is seldom busy. Behind questions about the past, nobody would notice a silent connection.
      const others = this.#lanes[role === 'follower' ? 'reader' : 'follower']
      const answer = watchCall({ connection, others, afterMs: this.#watchAfterMs }, () =>
        connection.run({
          text: `select "${this.#schema}"."${name}"($1::jsonb)::text as reply`,
          values: [argument],
          doing: `calling ${name}`,
          ...(writing ? { unanswered: 'unknown' } : {}),
        }),
      )
      return writing ? answer.catch((thrown) => this.#explain(thrown, connection)) : answer
    })
    const [row] = await lent.catch((thrown) => {
      // Who got no connection has asked for nothing.
      throw writing && !asked && thrown instanceof CoordinatorError
        ? thrown.withOutcome('not_written')
        : thrown
    })
    return JSON.parse(row?.['reply'] ?? 'null')
  }

  /** Lends a connection to the primary. A session that ends makes every other one suspect. */
  use<T>(role: keyof PoolFigures, work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#lanes[role].use(async (connection) => {
      try {
        return await work(connection)
      } finally {
        if (connection.broken) this.#cluster.suspect()
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#lanes).map((lane) => lane.close()))
  }

  /** What stays locked has somebody's transaction on it: whose, is what an operator needs to know. */
  async #explain(thrown: unknown, { facts }: Connection): Promise<never> {
    if (!(thrown instanceof CoordinatorError) || thrown.sourceCode !== LOCK_NOT_AVAILABLE) throw thrown
    // The session that waited may hold the head itself, until it has rolled back.
    const argument = JSON.stringify({ except: facts.pid })
    const holder = await this.call('inspect', argument).then(holderOf, () => undefined)
    throw new CoordinatorError('COORD_STORE_BUSY', {
      detail: `Another transaction holds ${holder ?? 'what writing needs'}.`,
      hint: 'End that transaction: commit it, roll it back, or `select pg_terminate_backend(PID)`.',
      sourceCode: LOCK_NOT_AVAILABLE,
      outcome: 'not_written',
    })
  }
}

const LOCK_NOT_AVAILABLE = '55P03'

function holderOf(reply: unknown): string | undefined {
  const holder = (reply as { headHolder?: unknown }).headHolder
  if (typeof holder !== 'object' || holder === null) return undefined
  const { pid, holds, user, state, sinceMs } = holder as Record<string, unknown>
  const since = typeof sinceMs === 'number' ? ` for ${Math.round(sinceMs / 1_000)} s` : ''
  return `${String(holds)}: pid ${String(pid)} of user ${String(user)}${typeof state === 'string' ? `, ${state}` : ''}${since}`
}
