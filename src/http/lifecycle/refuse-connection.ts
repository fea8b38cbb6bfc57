import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { CoordinatorError } from '../../errors.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { countAnswer } from '../answering/count-answer.ts'
import { PROBLEM_TYPE, problemDocument, problemHeaders } from '../answering/problem.ts'
import { translateParserError } from '../answering/translate-error.ts'

/** Answers what is no HTTP request, and ends the connection: nobody knows where the next request would begin. */
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

/** Answers with a problem on a connection without a request that a route could answer, and closes it. */
export function answerAndEnd(error: CoordinatorError, socket: Socket, metrics: Metrics): void {
  // Of a connection that Node hands over, as after CONNECT, it no longer hears errors: one would end the process.
  socket.on('error', () => undefined)
  if (!socket.writable || answersAnother(socket)) {
    socket.destroy()
    return
  }
  socket.end(rawAnswer(error))
  countAnswer(metrics, error.status)
  // The rest of what the other side sends has no meaning; a deadline keeps it from holding the connection.
  socket.resume()
  socket.setTimeout(1_000, () => socket.destroy())
}

/** The response that Node is to write on a connection next. Node's own handler of such errors looks at it as well. */
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

/** Whether what would be sent now would be taken for the answer to an earlier request, which arrived whole. */
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
