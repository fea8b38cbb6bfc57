import type { JournalReader, PoolFigures, PoolObserver } from '../store.ts'

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
   * @param reader who reads, for `changes`. @default 'follower'
   * @returns the parsed reply
   * @throws CoordinatorError; for `commit`, `compact` and `fork` with `outcome`
   */
  call(name: SqlFunction, argument: string, reader?: JournalReader): Promise<unknown>
  /** What is known on this side about the connection to the database, for people. */
  connectionFacts(): Promise<Facts>
  readonly figures: PoolFigures
  observe(observer: PoolObserver): void
  /** Refuses further calls, and ends every connection. */
  close(): Promise<void>
}

export type SqlFunction = ReadingFunction | WritingFunction
export type ReadingFunction =
  | 'head'
  | 'load'
  | 'changes'
  | 'history'
  | 'as_of'
  | 'inspect'
  | 'examine'
  | 'migrations'
  | 'catalog'
export type WritingFunction = 'commit' | 'compact' | 'fork'

/** The kind of connection for a function. The coordinator's own work never waits for questions about the past. */
export function connectionFor(name: SqlFunction, reader: JournalReader = 'follower'): keyof PoolFigures {
  if (writes(name)) return 'writer'
  const past = name === 'history' || name === 'as_of' || (name === 'changes' && reader === 'client')
  return past ? 'reader' : 'follower'
}

/** Whether a call of the function may change anything. */
export function writes(name: SqlFunction): name is WritingFunction {
  return name === 'commit' || name === 'compact' || name === 'fork'
}
