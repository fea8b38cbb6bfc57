import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const queued = new WeakMap<Socket, Set<ServerResponse>>()

/**
 * Ends an answer with its connection. It waits behind another answer on the same connection, as happens to clients that send requests
 * without waiting for answers. Node tells only the answer that is being sent: the others would wait, and keep what is reserved for them,
 * although the client is gone.
 */
export function endWithConnection({ socket }: IncomingMessage, response: ServerResponse): void {
  const answers = queued.get(socket) ?? new Set()
  if (!queued.has(socket)) {
    queued.set(socket, answers)
    socket.once('close', () => endAll(answers))
  }
  answers.add(response)
  response.once('socket', () => answers.delete(response))
}

function endAll(answers: Iterable<ServerResponse>): void {
  for (const answer of answers) {
    answer.destroy()
    answer.emit('close')
  }
}
