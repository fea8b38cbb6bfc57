/** A migration that ran, or would run. */
export interface MigrationStep {
  readonly version: number
  readonly name: string
  readonly state: 'applied' | 'pending' | 'changed' | 'unknown'
  /** Epoch milliseconds; absent while pending. */
  readonly appliedAt?: number
  readonly checksum: string
  /** Only for the state `changed`: the different lines. `- ` marks the text that ran, `+ ` marks the present text. */
  readonly diff?: string
}

export interface MigrationReport {
  /** The schema number that the database has; 0 before the first migration. */
  readonly current: number
  /** The schema number before this run; absent if nothing ran. */
  readonly from?: number
  /** The schema number of this program. */
  readonly target: number
  readonly steps: readonly MigrationStep[]
  /** After a dry run, if the database can tell: the locks that it took, such as `AccessExclusiveLock on records`. */
  readonly locks?: readonly string[]
}

/** The schema numbers before and after opening a store that migrated. */
export interface SchemaStep {
  readonly from: number
  readonly to: number
}

/** A difference between the schema and the expected one. */
export interface Drift {
  /** The object that differs, such as `index journal_commit_ids`. */
  readonly object: string
  /**
   * `optional`: it is missing, and only some programs need it. `unsafe`: a function that looks for types and tables in a schema to
   * which others can add their own.
   */
  readonly problem: 'missing' | 'different' | 'unexpected' | 'optional' | 'unsafe'
  /** SQL that repairs it; empty if only a person can decide. */
  readonly repair: string
}

/** Brings the schema to the version of this program. Migrations only go forward. */
export interface Migrator {
  /** How people can bring the schema up to date, if `migrate` cannot. */
  readonly howToMigrate?: string
  status(): Promise<MigrationReport>
  /** Runs pending migrations. With `dryRun`, in a transaction that is rolled back. */
  migrate(options?: { readonly dryRun?: boolean }): Promise<MigrationReport>
  verify(): Promise<readonly Drift[]>
  /**
   * Lets the public key of a Supabase project read and write every record. Everybody has that key. Absent if there is no such key, or if it
   * cannot be allowed from here.
   *
   * @throws COORD_CONFIG_INVALID where a coordinator has demanded credentials: they would protect nothing any more
   */
  allowAnon?(): Promise<void>
  /** Withdraws these rights from the public key. Absent if `allowAnon` is absent. */
  forbidAnon?(): Promise<void>
}
