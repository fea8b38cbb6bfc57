import type { PoolFigures, PoolObserver, Replication } from '../store.ts'

/** Facts about a database, by name. Never a secret. */
export type Facts = Record<string, string | number | boolean>

/**
 * The functions of a PostgreSQL schema. Each takes one JSON value and returns one. A backend brings the way to call them:
 * PostgreSQL's own protocol, or the Data API. `FunctionStore` knows what they mean.
 */
export interface SqlFunctions {
  /**
   * Calls a function once, under a deadline.
   *
   * @param argument JSON text
   * @param role the kind of connection; functions that write need `writer`. @default 'follower'
   * @returns the parsed reply
   * @throws CoordinatorError; for `writer` with `outcome`
   */
  call(name: SqlFunction, argument: string, role?: keyof PoolFigures): Promise<unknown>
  /** Facts about the connection that only this side knows, for people. */
  connectionFacts(): Promise<Facts>
  /** Asks the primary about its standbys. Absent if this way to call has no access to that. */
  replication?(): Promise<Replication>
  readonly figures: PoolFigures
  observe(observer: PoolObserver): void
  /** Refuses further calls, and ends every connection. */
  close(): Promise<void>
}

export type SqlFunction =
  | 'head'
  | 'load'
  | 'changes'
  | 'history'
  | 'as_of'
  | 'inspect'
  | 'examine'
  | 'migrations'
  | 'catalog'
  | 'commit'
  | 'compact'
  | 'fork'
  | 'adopt'
  | 'mend_head'
  | 'set_mode'
  | 'seed'
  | 'replay'
  | 'access_load'
  | 'access_put'
  | 'access_revoke'
  | 'access_require'
  | 'access_seed'
