import type { ServerResponse } from 'node:http'

/**
 * Cuts a client off that takes nothing of a response for `stallTimeoutMs`: it would hold on to what it was promised for
 * ever. The limit ends with the response; its connection may be kept, and rest for as long as others.
 */
export function limitStall(response: ServerResponse, stallTimeoutMs: number): void {
  // Quiet is a connection also while the next piece is being made: only what waits to be taken counts.
  response.setTimeout(stallTimeoutMs, () => response.writableLength > 0 && response.destroy())
  // Before the listener of Node, which lets the connection rest or gives it to the response that comes next.
  response.prependOnceListener('finish', () => response.setTimeout(0))
}
