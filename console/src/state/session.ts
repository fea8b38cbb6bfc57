import { signal } from '@preact/signals'
import { ApiError } from '../api/api-error.ts'
import { api } from '../api/client.ts'
import type { CallerAccess } from '../api/types.ts'
import { rootUrl } from '../root-url.ts'
import { demanded, token } from './credential.ts'

const STORED = 'coordinator.token'

/** How the coordinator sees the present caller (`GET /access`); `undefined` until it has told. */
export const caller = signal<CallerAccess | undefined>(undefined)

/** Counts sign-ins and sign-outs. Everything is asked again after each. */
export const sessions = signal(0)

/**
 * Whether the token may be kept in `sessionStorage`. Behind a prefix, other applications of the same host could read it there.
 */
export const mayStay = rootUrl.pathname === '/'

/** Takes up the token that stayed in this tab, and asks who the caller is. */
export async function beginSession(): Promise<void> {
  if (mayStay) token.value = stored()
  await learnCaller()
}

/**
 * Signs in with a token, if the coordinator accepts it.
 *
 * @throws ApiError, and then the session stays as it was
 */
export async function signIn(given: string, { stay }: { readonly stay: boolean }): Promise<void> {
  // A header cannot carry anything else.
  if (!/^[\x20-\x7e]+$/.test(given))
    throw new ApiError({
      status: 0,
      code: 'CONSOLE_TOKEN_MALFORMED',
      detail: 'This is not a token: it contains characters that no token has.',
      hint: 'Copy the token again: all of it, and nothing else.',
    })
  const before = token.peek()
  token.value = given
  try {
    caller.value = await api.get<CallerAccess>('/access')
  } catch (thrown) {
    token.value = before
    throw thrown
  }
  store(stay && mayStay ? given : undefined)
  demanded.value = undefined
  sessions.value += 1
}

/** Forgets the token, in this tab too. */
export function signOut(): void {
  store(undefined)
  token.value = undefined
  caller.value = undefined
  demanded.value = undefined
  sessions.value += 1
  void learnCaller()
}

/** Whether the caller has a scope; `admin` has all of them. */
export function hasScope(scope: 'read' | 'graph' | 'metrics' | 'admin'): boolean {
  const scopes = caller.value?.scopes ?? []
  return scopes.includes(scope) || scopes.includes('admin')
}

async function learnCaller(): Promise<void> {
  try {
    caller.value = await api.get<CallerAccess>('/access')
  } catch {
    // A 401 opens the sign-in, and every page shows its own fault: there is nothing else to say here.
    caller.value = undefined
  }
}

function stored(): string | undefined {
  try {
    return sessionStorage.getItem(STORED) ?? undefined
  } catch {
    // The browser forbids storage: the token is in memory only.
    return undefined
  }
}

function store(given: string | undefined): void {
  try {
    if (given === undefined) sessionStorage.removeItem(STORED)
    else sessionStorage.setItem(STORED, given)
  } catch {
    // As above.
  }
}
