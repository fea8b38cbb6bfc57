import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { CoordinatorError } from '../../errors.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { countAnswer } from '../answering/count-answer.ts'
import { PROBLEM_TYPE, problemDocument, problemHeaders } from '../answering/problem.ts'
import { translateParserError } from '../answering/translate-error.ts'

/** Answers bytes that are not an HTTP request, and closes the connection, because nobody knows where the next request would begin. */
export function refuseConnection(
  error: Error & { readonly code?: string },
  socket: Socket,
  metrics: Metrics,
): void {
  if (error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  answerAndEnd(translateParserError(error), socket, metrics)
}

/** Answers with a problem on a connection without a request that a route could handle, and closes it. */
export function answerAndEnd(error: CoordinatorError, socket: Socket, metrics: Metrics): void {
  // Node no longer listens to errors of a connection that it has handed over, for example after CONNECT. An error would end the process.
  socket.on('error', () => undefined)
  if (!socket.writable || answersAnother(socket)) {
    socket.destroy()
    return
  }
  socket.end(rawAnswer(error))
  countAnswer(metrics, error.status)
  // The rest of what the client sends has no meaning. A deadline limits how long it can hold the connection.
  socket.resume()
  socket.setTimeout(1_000, () => socket.destroy())
}

/** The response that Node will write next on a connection. Node's own handler of such errors uses it, too. */
interface AnsweringSocket {
  readonly _httpMessage?: {
    readonly headersSent: boolean
    readonly req: { readonly complete: boolean }
  } | null
}

/** Whether Node has a response to write on a connection. */
export function hasResponse(socket: Socket): boolean {
  return (socket as Socket & AnsweringSocket)._httpMessage != null
}

/** Whether the client would take what is sent now for the answer to an earlier request, which arrived completely. */
function answersAnother(socket: Socket): boolean {
  const { _httpMessage: message } = socket as Socket & AnsweringSocket
  return message != null && (message.headersSent || message.req.complete)
}

function rawAnswer(error: CoordinatorError): string {
  const body = JSON.stringify(problemDocument(error))
  const headers = problemHeaders(error)
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    ...headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1]}`] : [])),
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
