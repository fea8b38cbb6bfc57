import type { ServerResponse } from 'node:http'

/**
 * Disconnects a client that takes nothing of a response for `stallTimeoutMs`. Otherwise it would hold memory for ever. The limit ends with
 * the response; the connection may stay open and idle as long as others.
 */
export function limitStall(response: ServerResponse, stallTimeoutMs: number): void {
  // A connection is also quiet while the next piece is being made. Only bytes that wait for the client count.
  response.setTimeout(stallTimeoutMs, () => response.writableLength > 0 && response.destroy())
  // Must come before Node's listener, which makes the connection idle or assigns it to the next response.
  response.prependOnceListener('finish', () => response.setTimeout(0))
}
