/** Connections to the database, by purpose. */
export interface PoolFigures {
  readonly writer: ConnectionFigures
  /** Follows the journal, and asks the coordinator's own questions. */
  readonly follower: ConnectionFigures
  /** Answers questions about the past. */
  readonly reader: ConnectionFigures
}

/** Gets a call for each connection that was taken, or that a caller did not get in time. */
export interface PoolObserver {
  /** A call got a connection. `waited`: none was free when it asked. */
  acquired(role: keyof PoolFigures, wait: { readonly waited: boolean; readonly waitMs: number }): void
  /** A call gave up waiting for a connection. */
  acquireTimedOut(role: keyof PoolFigures): void
}

export interface ConnectionFigures {
  readonly idle: number
  readonly used: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  readonly max: number
}
