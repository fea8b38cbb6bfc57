import { signal } from '@preact/signals'

/** The present, for relative times. All of them change together, every ten seconds. */
export const now = signal(Date.now())

setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now()
}, 10_000)
