import type { IncomingMessage } from 'node:http'

/** How many bytes of a refused body are read and discarded, so that the client can read the answer. */
const drainMaxBytes = 64 * 1024 * 1024

/**
 * Whether the rest of the body is too long to wait for. Node reads and discards a shorter rest after the answer. If the connection closed
 * while the client still sends, the system of the client would drop the answer.
 */
export function mustClose({ complete, headers }: IncomingMessage): boolean {
  return !complete && Number(headers['content-length'] ?? 0) > drainMaxBytes
}
