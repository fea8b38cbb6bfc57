import { Worker } from 'node:worker_threads'
import type { Peer, PeerListener } from './peer.ts'

/** Starts a worker thread that runs `serveThread`. */
export function startThread(
  module: URL,
  { name, input }: { readonly name: string; readonly input: unknown },
  { onReply, onEnd }: PeerListener,
): Peer {
  const worker = new Worker(module, { name, workerData: input })
  const ended = new Promise<unknown>((resolve) => {
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => {
      onEnd({ cause })
      resolve(cause)
    })
  })
  worker.on('message', onReply)
  return {
    send: (request) => worker.postMessage(request),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    end: () => {
      worker.postMessage('end')
      return ended
    },
  }
}
