import type { IncomingMessage } from 'node:http'

/** How many bytes of a refused body are read and thrown away, so that the client can read why. */
const drainMaxBytes = 64 * 1024 * 1024

/**
 * Whether the rest of the body is too much to wait for. Less is read and thrown away by Node after the answer: closing
 * while the client still sends would make its system drop the answer.
 */
export function mustClose({ complete, headers }: IncomingMessage): boolean {
  return !complete && Number(headers['content-length'] ?? 0) > drainMaxBytes
}
