import { signal } from '@preact/signals'
import { api } from '../api/client.ts'
import type { Health } from '../api/types.ts'
import { silentSince } from './freshness.ts'

/** The newest `GET /health`; `undefined` until there is one, or if the caller may not ask. */
export const health = signal<Health | undefined>(undefined)

const EVERY_MS = 5_000
const WHILE_SILENT_MS = 1_500

let timer: ReturnType<typeof setTimeout> | undefined
let asking = false

/** Asks for the health again and again while the tab is visible. */
export function watchHealth(): void {
  document.addEventListener('visibilitychange', again)
  again()
}

/** Asks now, and then at the usual pace. */
function again(): void {
  clearTimeout(timer)
  if (document.visibilityState === 'visible') void ask()
}

async function ask(): Promise<void> {
  if (asking) return
  asking = true
  try {
    health.value = await api.get<Health>('/health')
  } catch {
    // The client has noted the silence or the demand for a credential, which the bar and the sign-in show.
    if (silentSince.peek() === undefined) health.value = undefined
  } finally {
    asking = false
  }
  timer = setTimeout(again, silentSince.peek() === undefined ? EVERY_MS : WHILE_SILENT_MS)
}
