import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Reply } from './messages.ts'
import type { Peer, PeerListener } from './peer.ts'

/** How long a process may take to end by itself, in milliseconds. */
const END_MS = 1_000

/** Starts a child process that runs `serveProcess`. @param heapMiB the size of its heap */
export function startProcess(
  module: URL,
  { heapMiB }: { readonly heapMiB: number },
  { onReply, onEnd }: PeerListener,
): Peer {
  const child = fork(module, {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [`--max-old-space-size=${heapMiB}`, '--expose-gc'],
    // The process needs no secrets of the environment.
    env: {},
  })
  const sent = (error: Error | null) => {
    if (error !== null) onEnd({ cause: error })
  }
  child.on('message', (reply) => onReply(reply as Reply))
  child.on('error', (cause) => onEnd({ cause }))
  child.on('exit', (code, signal) => {
    const cause = new Error(`it ended with ${signal ?? code}`)
    // V8 ends a process in this way when its heap is used up.
    onEnd({ cause, outOfMemory: signal === 'SIGABRT' || code === 134 })
  })
  return {
    pid: child.pid,
    send: (request) => {
      child.send(request, sent)
    },
    ref: () => {
      child.ref()
      child.channel?.ref()
    },
    unref: () => {
      child.unref()
      child.channel?.unref()
    },
    async end() {
      // Without its channel, the process has nothing to wait for.
      child.ref()
      const ended = once(child, 'exit')
      if (child.connected) child.disconnect()
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
      if (child.exitCode === null && child.signalCode === null) await ended
      clearTimeout(late)
    },
  }
}
