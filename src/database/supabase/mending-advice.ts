import type { SupabaseAccess, SupabaseTarget } from '../../config/supabase.ts'
import type { ErrorCode } from '../../errors.ts'
import { anonFunctions } from '../migrations/emit-supabase.ts'

export interface Advice {
  /** Completes the sentence "The Data API at HOST ...". */
  readonly text?: string
  readonly hint?: string
}

/** Hints for the refusals of a project: commands with the names that are in use, ready to be copied. */
export class MendingAdvice {
  readonly access: SupabaseAccess
  readonly #keyVariable: string
  readonly #schema: string

  constructor({ target, schema }: { readonly target: SupabaseTarget; readonly schema: string }) {
    this.access = target.access
    this.#keyVariable = target.keyVariable
    this.#schema = schema
  }

  /** The commands that migrate the schema. No key can do that: the Data API runs no DDL. */
  get migrate(): string {
    const schema = this.#schema === 'coordinator' ? '' : `DATABASE_SCHEMA=${this.#schema} `
    const anon = this.access === 'anon' ? ' --allow-anon' : ''
    return `Run once \`${schema}DATABASE_URL='postgres://...' coordinator migrate${anon}\` with the connection string of the project (dashboard: Connect); or \`${schema}coordinator migrate --emit supabase${anon} > supabase/migrations/$(date +%Y%m%d%H%M%S)_coordinator.sql\` and \`supabase db push\`.`
  }

  #leaveFor(called: string): string {
    return anonFunctions.some((name) => called === `${this.#schema}_${name}`)
      ? `. Or allow on purpose that everybody who has the public key reads and writes: ${this.migrate}`
      : ': the public one is never allowed to do this.'
  }

  for(code: ErrorCode, called: string): Advice {
    const name = `public.${called}`
    switch (code) {
      case 'COORD_SCHEMA_OLD':
        return { text: `has no function ${name}: the schema is not migrated`, hint: this.migrate }
      case 'COORD_STORE_ANON':
        return {
          text: `does not let the public key in ${this.#keyVariable} call ${name}`,
          hint: `Put the secret key of the project into SUPABASE_SERVICE_ROLE_KEY${this.#leaveFor(called)}`,
        }
      case 'COORD_STORE_RIGHTS':
        return {
          text: `does not let the key in ${this.#keyVariable} call ${name}`,
          hint: `In the SQL editor: \`grant execute on function ${name}(jsonb) to service_role\`; \`coordinator migrate verify\` with DATABASE_URL shows what else is missing.`,
        }
      case 'COORD_STORE_AUTH':
        return {
          hint: `Copy the key into ${this.#keyVariable} again: dashboard, Project Settings > API Keys of the same project as SUPABASE_URL.`,
        }
      case 'COORD_STORE_FROZEN':
        return { text: 'says that the mode of its database does not allow this' }
      case 'COORD_STORE_UNAVAILABLE':
        return { hint: 'The database of the project restarts, or is gone: see the dashboard.' }
      case 'COORD_STORE_STANDBY':
        return { hint: 'The disk of the project is full, or it is being moved: see the dashboard.' }
      default:
        return {}
    }
  }
}
