import { FILE_BYTES_MAX, type ReadFile } from './archive-format.ts'
import { damaged } from './damaged.ts'
import { parseFileName } from './file-name.ts'

const VERSION = 'age-encryption.org/v1\n'
const NONCE_BYTES = 16
const PIECE_BYTES = 65_536
/** What authenticates a piece. */
const TAG_BYTES = 16
/** The headers of ten recipients have about 2,000 bytes. */
const HEADER_BYTES_MAX = 1_048_576

/**
 * Checks what can be seen of an encrypted file without an identity: its name, the header of age, and that its size is possible. Only
 * reading it with an identity shows whether it is whole.
 *
 * @throws COORD_ARCHIVE_DAMAGED
 */
export function verifyStructure({ name, content }: ReadFile): void {
  if (parseFileName(name)?.encrypted !== true)
    throw damaged(name, 'It does not have the name of an encrypted file of an archive.')
  if (content.length > FILE_BYTES_MAX)
    throw damaged(name, `It has ${content.length} bytes; ${FILE_BYTES_MAX} are the most.`)
  const header = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, HEADER_BYTES_MAX))
  const macAt = header.indexOf('\n--- ')
  const headerEnd = macAt < 0 ? -1 : header.indexOf('\n', macAt + 1)
  const isHeader = headerEnd >= 0 && header.toString('latin1', 0, VERSION.length) === VERSION
  if (!isHeader || !/^\n--- [A-Za-z0-9+/]{43}$/.test(header.toString('latin1', macAt, headerEnd)))
    throw damaged(name, 'It does not begin with a header of age.')
  const payload = content.length - headerEnd - 1 - NONCE_BYTES
  const lastPiece = payload % (PIECE_BYTES + TAG_BYTES)
  // The last piece holds at least one byte; a file of an archive is never empty.
  if (payload <= TAG_BYTES || (lastPiece > 0 && lastPiece <= TAG_BYTES)) throw damaged(name, 'It is cut off.')
}
