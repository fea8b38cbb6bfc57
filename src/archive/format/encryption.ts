import { Decrypter, Encrypter } from 'age-encryption'
import { CoordinatorError } from '../../errors.ts'
import { Pace } from '../../scheduling/pace.ts'
import { quoted } from '../../text/quoted.ts'
import { FILE_BYTES_MAX } from './archive-format.ts'
import { damaged } from './damaged.ts'

/** age encrypts pieces of this size. */
const PIECE_BYTES = 65_536

/**
 * Encrypts bytes so that each of the recipients can read them. Gives others their turn.
 *
 * @throws COORD_CONFIG_INVALID if a recipient is none
 */
export async function encrypt(bytes: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  for (const [index, recipient] of recipients.entries()) {
    try {
      encrypter.addRecipient(recipient)
    } catch {
      // The text stays out of the error: it may be an identity that was pasted into the wrong variable.
      throw new CoordinatorError('COORD_CONFIG_INVALID', {
        detail: `Recipient ${index + 1} of BACKUP_RECIPIENTS is no age recipient.`,
        hint: 'Give public keys that begin with age1, separated by commas: `age-keygen -y FILE` prints the one of an identity file.',
      })
    }
  }
  return collect(await encrypter.encrypt(inPieces(bytes)))
}

/**
 * Decrypts a whole file. Nothing is returned before its last byte was verified.
 *
 * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY
 */
export async function decrypt(
  name: string,
  bytes: Uint8Array,
  identities: readonly string[],
): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity)
    } catch {
      throw noIdentity(name, 'an identity is none of those that this program knows')
    }
  }
  if (identities.length === 0) throw noIdentity(name, 'no identity was given')
  try {
    return await collect(await decrypter.decrypt(inPieces(bytes)))
  } catch (error) {
    const isOfOthers = error instanceof Error && error.message.startsWith('no identity matched')
    // The error of the library does not become the cause: its texts are not ours, and may hold parts of the file.
    throw isOfOthers
      ? noIdentity(name, 'none of the identities opens it')
      : damaged(name, 'It cannot be decrypted: its age header or a piece of it is damaged.')
  }
}

function noIdentity(name: string, why: string): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_NO_IDENTITY', {
    detail: `${quoted(name)} is encrypted, and ${why}.`,
  })
}

/** Bytes in pieces, with turns for others between them: the cipher runs in the thread of the caller. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const pace = new Pace()
  let at = 0
  return new ReadableStream(
    {
      async pull(controller) {
        if (pace.due) await pace.turn()
        if (at >= bytes.length) return controller.close()
        controller.enqueue(bytes.subarray(at, at + PIECE_BYTES))
        at += PIECE_BYTES
      },
    },
    { highWaterMark: 0 },
  )
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of stream) {
    length += piece.length
    if (length > 2 * FILE_BYTES_MAX) throw new RangeError('more bytes than a file may have')
    pieces.push(piece)
  }
  return Buffer.concat(pieces, length)
}
