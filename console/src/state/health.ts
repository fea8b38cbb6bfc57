import { signal } from '@preact/signals'
import { ApiError } from '../api/api-error.ts'
import { api } from '../api/client.ts'
import type { Health } from '../api/types.ts'
import { returns, silentSince } from './freshness.ts'
import { sessions } from './session.ts'

/** The newest `GET /health`; `undefined` until there is one, or if the caller may not ask. */
export const health = signal<Health | undefined>(undefined)

const EVERY_MS = 5_000
const WHILE_SILENT_MS = 1_500

let timer: ReturnType<typeof setTimeout> | undefined
let asking = false

/** Asks for the health again and again while the tab is visible. */
export function watchHealth(): void {
  document.addEventListener('visibilitychange', again)
  // Calls back at once, too.
  sessions.subscribe(again)
}

/** Asks now, and then at the usual pace. */
function again(): void {
  clearTimeout(timer)
  if (document.visibilityState === 'visible') void ask()
}

async function ask(): Promise<void> {
  if (asking) return
  asking = true
  const session = sessions.peek()
  const answer = await api.get<Health>('/health').catch((thrown: unknown) => thrown)
  asking = false
  if (session !== sessions.peek()) again()
  else if (mayNot(answer)) {
    // Nothing changes until somebody signs in.
    health.value = undefined
  } else {
    if (!(answer instanceof Error)) note(answer as Health)
    // The client has noted the silence, which the bar shows.
    timer = setTimeout(again, silentSince.peek() === undefined ? EVERY_MS : WHILE_SILENT_MS)
  }
}

function note(answer: Health): void {
  const wasStarting = health.peek()?.status === 'starting'
  health.value = answer
  // What failed while the records were not read is asked again.
  if (wasStarting && answer.status !== 'starting') returns.value = returns.peek() + 1
}

function mayNot(answer: unknown): boolean {
  return answer instanceof ApiError && (answer.status === 401 || answer.status === 403)
}
