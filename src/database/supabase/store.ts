import type { CoordinatorError } from '../../errors.ts'
import { FunctionStore } from '../sql-functions/function-store.ts'
import { headOf, numberOf, readReply } from '../sql-functions/read-reply.ts'
import type { Head } from '../store.ts'
import { SupabaseCalls } from './call.ts'
import { SupabaseMigrator } from './migrator.ts'
import { type SupabaseOptions, withDefaults } from './options.ts'

/** Keeps records in a schema of a Supabase project, through its Data API. */
export class SupabaseStore extends FunctionStore {
  readonly backend = 'supabase'
  readonly migrator: SupabaseMigrator
  readonly #calls: SupabaseCalls

  constructor(options: SupabaseOptions) {
    const settings = withDefaults(options)
    const calls = new SupabaseCalls(settings)
    const migrator = new SupabaseMigrator(calls, settings)
    super(calls, settings, migrator.target)
    this.migrator = migrator
    this.#calls = calls
  }

  /** The schema must have at least the number of this program. The functions of a newer schema say whether this program may write. */
  protected async openOnce(): Promise<Head> {
    return readReply(await this.#calls.call('head', '{}'), (reply) => {
      // This comes first: the head of an older schema lacks members.
      const schema = numberOf(reply, 'schema')
      if (schema < this.migrator.target) throw this.migrator.tooOld(schema)
      return headOf(reply)
    })
  }

  /** Whether the error may pass: the Data API refuses a changed key for a moment, and a new function until it has read it. */
  protected mayPass({ retryable }: CoordinatorError): boolean {
    return !retryable
  }
}
