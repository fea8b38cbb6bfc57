import { Grants } from './scopes/grants.ts'

/** How a caller proved who it is. `open`: nobody has to prove anything. `program`: it uses the library in this process. */
export type PrincipalKind = 'open' | 'anonymous' | 'admin' | 'metrics' | 'token' | 'jwt' | 'program'

/** Who sends a request, and what it may do. The same caller has the same object as long as its credential does not change. */
export interface Principal {
  readonly kind: PrincipalKind
  /**
   * The owner of idempotency keys, and of a share of each limit. Empty where callers prove nothing: keys then belong to everybody, and the
   * address of the client takes its place in limits.
   */
  readonly id: string
  /** The author that the journal names, such as `token:ci`; see `actorOf`. `undefined` where callers prove nothing. */
  readonly actor: string | undefined
  readonly grants: Grants
  /** The end of the credential, in epoch milliseconds. @default it does not expire */
  readonly expiresAt?: number
  /** Aborted when the credential no longer counts: its open streams end then. @default never */
  readonly ended?: AbortSignal
}

/** Everybody, where access is open. */
export const EVERYBODY: Principal = { kind: 'open', id: '', actor: undefined, grants: Grants.ALL }

/** A program that uses the library. */
export const PROGRAM: Principal = { kind: 'program', id: '', actor: 'library', grants: Grants.ALL }
