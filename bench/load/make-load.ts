import { fork } from 'node:child_process'
import type { LoadResult } from './http-client.ts'
import type { LoadAnswer, LoadOrder } from './protocol.ts'

/**
 * Runs one round of load in a process of its own.
 *
 * @throws Error where an answer was not 2xx: a server that refuses is not fast
 */
export async function makeLoad(order: LoadOrder): Promise<LoadResult> {
  const child = fork(new URL('./process.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    const reply = await new Promise<LoadAnswer>((resolve, reject) => {
      child.once('message', (message) => resolve(message as LoadAnswer))
      child.once('exit', (code) => reject(new Error(`The load process ended with ${code}.`)))
      child.send(order)
    })
    if ('error' in reply) throw new Error(reply.error)
    const failures = Object.entries(reply.result.failures)
    if (failures.length > 0)
      throw new Error(`Answers that were not 2xx: ${JSON.stringify(reply.result.failures)}`)
    return reply.result
  } finally {
    child.removeAllListeners('exit')
    child.kill()
  }
}
