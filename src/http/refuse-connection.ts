import type { Socket } from 'node:net'
import type { CoordinatorError } from '../errors.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { PROBLEM_TYPE, problemDocument } from './problem.ts'
import { countAnswer } from './route-timer.ts'
import { translateParserError } from './translate-error.ts'

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
}

/** Answers what is no HTTP request, and ends the connection: nobody knows where the next request would begin. */
export function refuseConnection(
  error: Error & { readonly code?: string },
  socket: Socket,
  metrics: Metrics,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || answersAnother(socket)) {
    socket.destroy()
    return
  }
  const refusal = translateParserError(error)
  socket.end(rawAnswer(refusal))
  countAnswer(metrics, { route: undefined, startedAt: 0 }, refusal.status)
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

/** Whether what would be sent now would be taken for the answer to an earlier request, which arrived whole. */
function answersAnother(socket: Socket): boolean {
  const { _httpMessage: message } = socket as Socket & AnsweringSocket
  return message != null && (message.headersSent || message.req.complete)
}

function rawAnswer(error: CoordinatorError): string {
  const body = JSON.stringify(problemDocument(error))
  return [
    `HTTP/1.1 ${error.status} ${reasons[error.status] ?? 'Error'}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
