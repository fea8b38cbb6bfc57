import { setImmediate as turn } from 'node:timers/promises'

/** Lets the event loop turn so many times: what has work to do, and need not wait for it, does it meanwhile. */
export async function turns(count = 100): Promise<void> {
  for (let turned = 0; turned < count; turned += 1) await turn()
}
