/**
 * The door to a PostgreSQL schema: a few functions that take one JSON value and return one. A backend brings the way to
 * call them (by wire, through the Data API); what they mean is the same for all and lives in `DoorStore`.
 */
export interface Door {
  /**
   * Calls a function once, under a deadline.
   *
   * @param argument JSON text
   * @returns the parsed reply
   * @throws CoordinatorError; for `commit`, `compact` and `fork` with `outcome`
   */
  call(name: DoorFunction, argument: string): Promise<unknown>
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

/** Whether a call of the function may change anything. */
export function writes(name: DoorFunction): name is WritingFunction {
  return name === 'commit' || name === 'compact' || name === 'fork'
}
