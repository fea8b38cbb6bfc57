import type { ErrorCode, WriteOutcome } from '../../errors.ts'

/** Errors by SQLSTATE, if the whole code decides. Source: PostgreSQL documentation, appendix A. */
const byState: Readonly<Record<string, ErrorCode>> = {
  '0A000': 'COORD_STORE_FAULT',
  '25006': 'COORD_STORE_STANDBY',
  '28000': 'COORD_STORE_AUTH',
  '28P01': 'COORD_STORE_AUTH',
  '3D000': 'COORD_STORE_DATABASE_MISSING',
  '3F000': 'COORD_SCHEMA_OLD',
  '40001': 'COORD_STORE_BUSY',
  '40P01': 'COORD_STORE_BUSY',
  '42501': 'COORD_STORE_RIGHTS',
  '42703': 'COORD_SCHEMA_OLD',
  '42883': 'COORD_SCHEMA_OLD',
  '42P01': 'COORD_SCHEMA_OLD',
  '53100': 'COORD_STORE_FULL',
  '53300': 'COORD_STORE_CONNECTIONS',
  '53400': 'COORD_STORE_CONNECTIONS',
  '55P03': 'COORD_STORE_BUSY',
  '57014': 'COORD_STORE_TIMEOUT',
  // Our own functions raise this when the tables contradict each other.
  '55K01': 'COORD_STORE_DAMAGED',
  // Our own functions raise this when the mode of the store does not allow a call.
  '55K03': 'COORD_STORE_FROZEN',
  // A damaged page, and a damaged index.
  XX001: 'COORD_STORE_CORRUPT',
  XX002: 'COORD_STORE_CORRUPT',
}

/** Errors by the first two characters, if the code is not in the table above. */
const byClass: Readonly<Record<string, ErrorCode>> = {
  '08': 'COORD_STORE_UNAVAILABLE',
  '21': 'COORD_COMMIT_REFUSED',
  '22': 'COORD_COMMIT_REFUSED',
  '23': 'COORD_COMMIT_REFUSED',
  '53': 'COORD_STORE_UNAVAILABLE',
  '54': 'COORD_COMMIT_REFUSED',
  '57': 'COORD_STORE_UNAVAILABLE',
  '58': 'COORD_STORE_UNAVAILABLE',
}

/**
 * SQLSTATEs with which a server ends a session, refuses one, or says that it takes no writes. Other connections to the same server are then
 * no better than this one.
 */
const sessionEnding = /^(08|25006|57P|58)/

/** The code for an error of a PostgreSQL server, by wire or through the Data API. */
export function codeOfSqlState(state: string): ErrorCode {
  return byState[state] ?? byClass[state.slice(0, 2)] ?? 'COORD_STORE_FAULT'
}

export function endsSessionBySqlState(state: string): boolean {
  return sessionEnding.test(state)
}

/** After an error of the server, its transaction is gone. But an error that ends the session may come after a commit. */
export function outcomeOfSqlState(state: string): WriteOutcome {
  return sessionEnding.test(state) ? 'unknown' : 'not_written'
}
