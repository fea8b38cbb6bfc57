import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Ends answers with their connection that wait behind another one on it, as those to requests that a client sends without
 * waiting for answers do. Node tells only the answer that is being sent: the others would wait, and hold what they were
 * promised, for a client that is gone.
 */
export function endQueuedAnswers(server: Server): void {
  const queued = new WeakMap<Socket, Set<ServerResponse>>()
  const watch = ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (response.socket !== null) return
    let answers = queued.get(socket)
    if (answers === undefined) {
      answers = new Set()
      queued.set(socket, answers)
      socket.once('close', () => endAll(queued.get(socket) ?? []))
    }
    const waiting = answers
    waiting.add(response)
    response.once('socket', () => waiting.delete(response))
  }
  server.prependListener('request', watch)
  server.prependListener('checkContinue', watch)
}

function endAll(answers: Iterable<ServerResponse>): void {
  for (const answer of answers) {
    answer.destroy()
    answer.emit('close')
  }
}
