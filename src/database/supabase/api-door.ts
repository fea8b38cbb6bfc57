import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { CoordinatorError } from '../../errors.ts'
import {
  connectionFor,
  type Door,
  type DoorFunction,
  type ReadingFunction,
  type WritingFunction,
  writes,
} from '../sql-functions/door.ts'
import type { JournalReader, PoolFigures, PoolObserver } from '../store.ts'
import { ApiLane } from './api-lane.ts'
import type { SupabaseSettings } from './options.ts'
import { watchWrite } from './watch-write.ts'

/** The slowest line on which a request still counts as on its way, in bytes per millisecond: a megabit per second. */
const SLOWEST_LINE = 128

/** How long the question may take whether anybody is writing, in milliseconds. */
const QUESTION_TIMEOUT_MS = 1_000

/** The door through the Data API: the functions `public.<schema>_commit` and so on, called with supabase-js. */
export class ApiDoor implements Door {
  readonly #schema: string
  readonly #watchAfterMs: number
  readonly #writer: ApiLane
  readonly #follower: ApiLane
  readonly #reader: ApiLane
  readonly #asker: ApiLane
  readonly #writerClient: SupabaseClient
  readonly #followerClient: SupabaseClient
  readonly #readerClient: SupabaseClient
  readonly #askerClient: SupabaseClient
  /** Questions of the follower, each of which can be asked again. */
  readonly #following = new Set<AbortController>()

  constructor(settings: SupabaseSettings) {
    this.#schema = settings.schema
    this.#watchAfterMs = settings.watchAfterMs
    this.#writer = new ApiLane(settings, { role: 'writer', max: 1 })
    this.#follower = new ApiLane(settings, { role: 'follower', max: 1 })
    this.#reader = new ApiLane(settings, { role: 'reader', max: Math.max(1, settings.poolMax - 2) })
    // Where connections are in doubt, one that was there before says nothing.
    this.#asker = new ApiLane(settings, { role: 'follower', max: 1, reuse: false })
    this.#writerClient = clientOver(this.#writer, settings)
    this.#followerClient = clientOver(this.#follower, settings)
    this.#readerClient = clientOver(this.#reader, settings)
    this.#askerClient = clientOver(this.#asker, settings)
  }

  get figures(): PoolFigures {
    return {
      writer: this.#writer.figures,
      follower: this.#follower.figures,
      reader: this.#reader.figures,
    }
  }

  async call(name: DoorFunction, argument: string, reader?: JournalReader): Promise<unknown> {
    const writing = writes(name)
    try {
      if (writes(name)) return await this.#write(name, argument)
      return await this.#read(name, argument, reader)
    } catch (thrown) {
      if (thrown instanceof CoordinatorError) throw thrown
      // What remains is a success whose body supabase-js could not read: something was cut off, and may have happened.
      throw new CoordinatorError('COORD_STORE_REPLY', {
        detail: `The answer of the Data API to ${name} is not complete JSON.`,
        ...(writing ? { outcome: 'unknown' } : {}),
      })
    }
  }

  async #ask(client: SupabaseClient, { name, argument, signal }: Question): Promise<unknown> {
    // The text goes as a JSON string, which the functions take as well: parsing it here, only for supabase-js to write it
    // again, would cost more than the escapes.
    const call = client.rpc(`${this.#schema}_${name}`, { p: argument })
    const { data } = await (signal === undefined ? call : call.abortSignal(signal)).throwOnError()
    return data
  }

  async #read(name: ReadingFunction, argument: string, reader: JournalReader | undefined): Promise<unknown> {
    const client = connectionFor(name, reader) === 'reader' ? this.#readerClient : this.#followerClient
    if (name !== 'changes') return this.#ask(client, { name, argument })
    const lost = new AbortController()
    this.#following.add(lost)
    try {
      return await this.#ask(client, { name, argument, signal: lost.signal })
    } finally {
      this.#following.delete(lost)
    }
  }

  #write(name: WritingFunction, argument: string): Promise<unknown> {
    const lost = new AbortController()
    const watch = {
      // What is large takes long to arrive, and nobody at the other end knows of it until then.
      afterMs: this.#watchAfterMs + argument.length / SLOWEST_LINE,
      isAtRest: () => this.#isAtRest(),
      giveUp: () => {
        lost.abort(lostCall(name).withOutcome('unknown'))
        this.#doubtReaders()
      },
    }
    // Only what is on its way is watched: a write that waits for the one before it is not lost.
    return this.#writer.inTurn(() =>
      watchWrite(watch, () => this.#ask(this.#writerClient, { name, argument, signal: lost.signal })),
    )
  }

  async #isAtRest(): Promise<boolean | undefined> {
    try {
      const signal = AbortSignal.timeout(QUESTION_TIMEOUT_MS)
      const facts = await this.#ask(this.#askerClient, { name: 'inspect', argument: '{}', signal })
      return (facts as { headHolder?: unknown }).headHolder === null
    } catch {
      // The database cannot be asked at all, or the key may not: then the deadline of the call ends it.
      return undefined
    }
  }

  /** What lost a write may have lost more: who follows the journal asks again, and over new connections. */
  #doubtReaders(): void {
    this.#follower.renew()
    this.#reader.renew()
    for (const question of this.#following) question.abort(lostCall('changes'))
  }

  observe(observer: PoolObserver): void {
    for (const lane of [this.#writer, this.#follower, this.#reader]) lane.observe(observer)
  }

  async close(): Promise<void> {
    const lanes = [this.#writer, this.#follower, this.#reader, this.#asker]
    await Promise.all(lanes.map((lane) => lane.close()))
  }
}

interface Question {
  readonly name: DoorFunction
  readonly argument: string
  readonly signal?: AbortSignal
}

function lostCall(name: DoorFunction): CoordinatorError {
  return new CoordinatorError('COORD_STORE_TIMEOUT', {
    detail: `The Data API does not answer to ${name}, though the database has nothing to do: the request or its answer was lost.`,
  })
}

/** supabase-js without what a server has no use for: sessions, their timers, retries, a channel for changes. */
function clientOver(lane: ApiLane, { target }: SupabaseSettings): SupabaseClient {
  return createClient(target.url, target.key.reveal(), {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    db: { schema: 'public', retry: false },
    global: { fetch: lane.fetch },
  })
}
