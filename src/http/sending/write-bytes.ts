import type { ServerResponse } from 'node:http'

/**
 * Writes bytes to a connection.
 *
 * @param onTaken called later, when the operating system has taken the bytes, if it could not do so at once
 * @returns whether the operating system took all of them at once
 */
export function writeBytes(
  response: ServerResponse,
  chunks: readonly (Buffer | string)[],
  onTaken: () => void,
): boolean {
  let taken = false
  const { socket } = response
  // Without this, Node would write the bytes in a later turn, and the result would be unknown here.
  socket?.cork()
  const last = chunks.length - 1
  for (const [at, chunk] of chunks.entries()) {
    if (at < last) response.write(chunk)
    else response.write(chunk, () => taken || onTaken())
  }
  socket?.uncork()
  taken = response.writableLength === 0
  return taken
}
