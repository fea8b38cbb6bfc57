import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { CoordinatorError } from '../../errors.ts'
import { type Door, type DoorFunction, writes } from '../door.ts'
import type { PoolFigures, PoolObserver } from '../store.ts'
import { ApiLane } from './api-lane.ts'
import type { SupabaseSettings } from './options.ts'

/** The door through the Data API: the functions `public.<schema>_commit` and so on, called with supabase-js. */
export class ApiDoor implements Door {
  readonly #schema: string
  readonly #writer: ApiLane
  readonly #reader: ApiLane
  readonly #writerClient: SupabaseClient
  readonly #readerClient: SupabaseClient

  constructor(settings: SupabaseSettings) {
    this.#schema = settings.schema
    this.#writer = new ApiLane(settings, { writing: true, max: 1 })
    this.#reader = new ApiLane(settings, { writing: false, max: Math.max(1, settings.poolMax - 1) })
    this.#writerClient = clientOver(this.#writer, settings)
    this.#readerClient = clientOver(this.#reader, settings)
  }

  get figures(): PoolFigures {
    return { writer: this.#writer.figures, reader: this.#reader.figures }
  }

  async call(name: DoorFunction, argument: string): Promise<unknown> {
    const writing = writes(name)
    const client = writing ? this.#writerClient : this.#readerClient
    try {
      // The text goes as a JSON string, which the functions take as well: parsing it here, only for supabase-js to write it
      // again, would cost more than the escapes.
      const { data } = await client.rpc(`${this.#schema}_${name}`, { p: argument }).throwOnError()
      return data
    } catch (thrown) {
      if (thrown instanceof CoordinatorError) throw thrown
      // What remains is a success whose body supabase-js could not read: something was cut off, and may have happened.
      throw new CoordinatorError('COORD_STORE_REPLY', {
        detail: `The answer of the Data API to ${name} is not complete JSON.`,
        ...(writing ? { outcome: 'unknown' } : {}),
      })
    }
  }

  observe(observer: PoolObserver): void {
    this.#writer.observe(observer)
    this.#reader.observe(observer)
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reader.close()])
  }
}

/** supabase-js without what a server has no use for: sessions, their timers, retries, a channel for changes. */
function clientOver(lane: ApiLane, { target }: SupabaseSettings): SupabaseClient {
  return createClient(target.url, target.key.reveal(), {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    db: { schema: 'public', retry: false },
    global: { fetch: lane.fetch },
  })
}
