import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const queued = new WeakMap<Socket, Set<ServerResponse>>()

/**
 * Ends a queued answer when its connection ends. A client may send several requests without waiting for answers. Node tells only the answer
 * that is being sent that the client is gone. The others would wait, and hold their reservations.
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
