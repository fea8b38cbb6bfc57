/** The process that makes the load: one core for it, one for the server. Takes a `LoadOrder`, answers a `LoadAnswer`. */
import { runLoad } from './http-client.ts'
import type { LoadAnswer, LoadOrder } from './protocol.ts'
import { requestWriter } from './requests.ts'

process.on('message', (order: LoadOrder) => {
  answer(order).then(
    (reply) => process.send?.(reply),
    (error: Error) => process.send?.({ error: error.message } satisfies LoadAnswer),
  )
})

async function answer({ source, ...plan }: LoadOrder): Promise<LoadAnswer> {
  return { result: await runLoad({ ...plan, next: requestWriter(source) }) }
}
