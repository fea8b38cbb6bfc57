import type { JournalReader, PoolFigures } from '../store.ts'

/**
 * The door to a PostgreSQL schema: a few functions that take one JSON value and return one. A backend brings the way to
 * call them (by wire, through the Data API); what they mean is the same for all and lives in `DoorStore`.
 */
export interface Door {
  /**
   * Calls a function once, under a deadline.
   *
   * @param argument JSON text
   * @param reader who reads, for `changes`. @default 'follower'
   * @returns the parsed reply
   * @throws CoordinatorError; for `commit`, `compact` and `fork` with `outcome`
   */
  call(name: DoorFunction, argument: string, reader?: JournalReader): Promise<unknown>
}

export type DoorFunction = ReadingFunction | WritingFunction
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
export function connectionFor(name: DoorFunction, reader: JournalReader = 'follower'): keyof PoolFigures {
  if (writes(name)) return 'writer'
  const past = name === 'history' || name === 'as_of' || (name === 'changes' && reader === 'client')
  return past ? 'reader' : 'follower'
}

/** Whether a call of the function may change anything. */
export function writes(name: DoorFunction): name is WritingFunction {
  return name === 'commit' || name === 'compact' || name === 'fork'
}
