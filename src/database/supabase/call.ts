import { describeKey } from '../../config/supabase.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Facts, SqlFunction, SqlFunctions } from '../sql-functions/sql-functions.ts'
import { watchCall } from '../sql-functions/watch-call.ts'
import type { PoolFigures, PoolObserver } from '../store.ts'
import { ConnectionPool } from './connection-pool.ts'
import type { SupabaseSettings } from './options.ts'

/** The speed of the slowest network on which a request still counts as being sent, in bytes per millisecond: a megabit per second. */
const SLOWEST_NETWORK = 128

/** How long the question whether a write is in progress may take, in milliseconds. */
const QUESTION_TIMEOUT_MS = 1_000

interface Call {
  readonly name: SqlFunction
  readonly argument: string
  /** Ends a call that turned out to be lost. */
  readonly signal?: AbortSignal
}

/** Calls the functions through the Data API, as `public.<schema>_commit` and so on, with supabase-js. */
export class SupabaseCalls implements SqlFunctions {
  readonly #settings: SupabaseSettings
  readonly #pools: Readonly<Record<keyof PoolFigures, ConnectionPool>>
  /** Asks whether the database is working on a write, over a new connection each time: an existing one may be lost, too. */
  readonly #asker: ConnectionPool
  /** Questions of the follower. Each of them can be asked again. */
  readonly #following = new Set<AbortController>()

  constructor(settings: SupabaseSettings) {
    this.#settings = settings
    this.#pools = {
      writer: new ConnectionPool(settings, { role: 'writer', max: 1 }),
      follower: new ConnectionPool(settings, { role: 'follower', max: 1 }),
      reader: new ConnectionPool(settings, { role: 'reader', max: Math.max(1, settings.poolMax - 2) }),
    }
    this.#asker = new ConnectionPool(settings, { role: 'follower', max: 1, reuse: false })
  }

  get figures(): PoolFigures {
    const { writer, follower, reader } = this.#pools
    return { writer: writer.figures, follower: follower.figures, reader: reader.figures }
  }

  observe(observer: PoolObserver): void {
    for (const pool of Object.values(this.#pools)) pool.observe(observer)
  }

  async call(name: SqlFunction, argument: string, role: keyof PoolFigures = 'follower'): Promise<unknown> {
    const pool = this.#pools[role]
    const writing = role === 'writer'
    const lost = new AbortController()
    const call = { name, argument, signal: lost.signal }
    await pool.acquire()
    // Only calls in progress are watched. A call that waits for the previous one is not lost.
    const ended = writing ? this.#watch(call, lost) : undefined
    if (name === 'changes') this.#following.add(lost)
    try {
      return await this.#send(pool, call)
    } catch (thrown) {
      if (thrown instanceof CoordinatorError) throw thrown
      // This is a success whose body supabase-js could not read: the answer was cut off, and a write may have happened.
      throw new CoordinatorError('COORD_STORE_REPLY', {
        detail: `The answer of the Data API to ${name} is not complete JSON.`,
        ...(writing ? { outcome: 'unknown' } : {}),
      })
    } finally {
      ended?.()
      this.#following.delete(lost)
      pool.release()
    }
  }

  async connectionFacts(): Promise<Facts> {
    const { target, schema } = this.#settings
    const { protocol, host } = new URL(target.url)
    return {
      url: target.url,
      host,
      encrypted: protocol === 'https:',
      schemaName: schema,
      key: describeKey(target),
      keyVariable: target.keyVariable,
    }
  }

  async close(): Promise<void> {
    const pools = [...Object.values(this.#pools), this.#asker]
    await Promise.all(pools.map((pool) => pool.close()))
  }

  async #send({ client }: ConnectionPool, { name, argument, signal }: Call): Promise<unknown> {
    // The text is sent as a JSON string, which the functions accept, too. Parsing it here, so that supabase-js serializes it again, would
    // cost more than the escapes.
    const call = client.rpc(`${this.#settings.schema}_${name}`, { p: argument })
    const { data } = await (signal === undefined ? call : call.abortSignal(signal)).throwOnError()
    return data
  }

  #watch({ name, argument }: Call, lost: AbortController): () => void {
    return watchCall({
      // A large request takes long to arrive, and the database does not know of it until then.
      afterMs: this.#settings.watchAfterMs + argument.length / SLOWEST_NETWORK,
      isLost: () => this.#isIdle(),
      giveUp: () => {
        lost.abort(lostCall(name).withOutcome('unknown'))
        this.#doubtReaders()
      },
    })
  }

  /** Whether the database has no write in progress. `undefined` if it does not answer: the call then ends at its deadline. */
  async #isIdle(): Promise<boolean | undefined> {
    const signal = AbortSignal.timeout(QUESTION_TIMEOUT_MS)
    try {
      await this.#asker.acquire()
      try {
        const facts = await this.#send(this.#asker, { name: 'inspect', argument: '{}', signal })
        return (facts as { headHolder?: unknown }).headHolder === null
      } finally {
        this.#asker.release()
      }
    } catch {
      return undefined
    }
  }

  /** The fault that lost a write may have lost other calls: the follower asks again, and calls that read get new connections. */
  #doubtReaders(): void {
    this.#pools.follower.renew()
    this.#pools.reader.renew()
    for (const question of this.#following) question.abort(lostCall('changes'))
  }
}

function lostCall(name: SqlFunction): CoordinatorError {
  return new CoordinatorError('COORD_STORE_TIMEOUT', {
    detail: `The Data API does not answer to ${name}, though the database has nothing to do: the request or its answer was lost.`,
  })
}
