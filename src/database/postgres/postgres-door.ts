import { CoordinatorError } from '../../errors.ts'
import { type Door, type DoorFunction, writes } from '../door.ts'
import type { PoolFigures, PoolObserver } from '../store.ts'
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
  readonly #writer: Lane
  readonly #reader: Lane

  constructor(settings: PostgresSettings) {
    this.#cluster = new Cluster(settings)
    this.#schema = settings.schema
    this.#watchAfterMs = settings.watchAfterMs
    this.#writer = new Lane(this.#cluster, settings, { role: 'writer', max: 1 })
    this.#reader = new Lane(this.#cluster, settings, {
      role: 'reader',
      max: Math.max(1, settings.poolMax - 1),
    })
  }

  get figures(): PoolFigures {
    return { writer: this.#writer.figures, reader: this.#reader.figures }
  }

  observe(observer: PoolObserver): void {
    this.#writer.observe(observer)
    this.#reader.observe(observer)
  }

  /** The host that took writes last, for people. */
  get primary(): string | undefined {
    return this.#cluster.primary
  }

  async call(name: DoorFunction, argument: string): Promise<unknown> {
    const writing = writes(name)
    let asked = false
    const lent = this.use(writing ? 'writer' : 'reader', async (connection) => {
      asked = true
      const answer = watchCall({ connection, others: this.#reader, afterMs: this.#watchAfterMs }, () =>
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
  use<T>(lane: 'writer' | 'reader', work: (connection: Connection) => Promise<T>): Promise<T> {
    return (lane === 'writer' ? this.#writer : this.#reader).use(async (connection) => {
      try {
        return await work(connection)
      } finally {
        if (connection.broken) this.#cluster.suspect()
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reader.close()])
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
