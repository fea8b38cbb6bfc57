import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { TEXT_BYTES_MAX } from './archive-format.ts'
import { damaged } from './damaged.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The level of the `zstd` program. Higher ones are several times slower, for few bytes. */
const LEVEL = 3

/** Node.js hands out results in pieces of this size or more. With its default of 16 KiB, the pieces take longer than the work. */
const CHUNK_BYTES = 65_536

/** Packs bytes as one frame of Zstandard, with their number and a checksum. */
export function packFrame(text: Uint8Array): Promise<Buffer> {
  return compress(text, {
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_contentSizeFlag]: 1,
    },
    pledgedSrcSize: text.length,
    chunkSize: Math.max(CHUNK_BYTES, text.length >> 2),
  })
}

/**
 * Unpacks bytes that are exactly one frame. Node.js silently ignores a second frame, and other bytes behind the first one.
 *
 * @param name of the file, for the error
 * @throws COORD_ARCHIVE_DAMAGED
 */
export async function unpackFrame(name: string, packed: Uint8Array): Promise<Buffer> {
  const frame = measureFrame(packed)
  if (typeof frame === 'string') throw damaged(name, frame)
  if (frame.length !== packed.length)
    throw damaged(name, `${packed.length - frame.length} bytes follow its end.`)
  if (frame.textBytes > TEXT_BYTES_MAX)
    throw damaged(name, `It claims to hold ${frame.textBytes} bytes; ${TEXT_BYTES_MAX} are the most.`)
  const text = await decompress(packed, {
    maxOutputLength: Math.max(1, frame.textBytes),
    chunkSize: Math.max(CHUNK_BYTES, frame.textBytes),
  }).catch(({ code = 'no code' }: NodeJS.ErrnoException) => {
    throw damaged(name, `Its Zstandard frame cannot be unpacked (${code}).`)
  })
  if (text.length !== frame.textBytes)
    throw damaged(name, `It holds ${text.length} bytes, and not ${frame.textBytes}.`)
  return text
}

interface Frame {
  readonly length: number
  readonly textBytes: number
}

const MAGIC = 0xfd2fb528
const CHECKSUM_BYTES = 4

/** The size of the first frame, from its blocks (RFC 8878, 3.1.1), or what is wrong with it. */
function measureFrame(packed: Uint8Array): Frame | string {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  if (packed.length < 6 || view.getUint32(0, true) !== MAGIC) return 'It is no Zstandard file.'
  const descriptor = view.getUint8(4)
  // Nobody sets these bits.
  if ((descriptor & 0b11000) !== 0) return 'Its Zstandard frame is damaged.'
  if ((descriptor & 0b100) === 0) return 'Its Zstandard frame has no checksum.'
  const single = (descriptor & 0b100000) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] as number
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  if (sizeBytes === 0) return 'Its Zstandard frame does not tell its size.'
  const sizeAt = 5 + (single ? 0 : 1) + dictionaryBytes
  let at = sizeAt + sizeBytes
  for (let last = false; !last; ) {
    if (at + 3 > packed.length) return 'It is cut off.'
    const block = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    last = (block & 1) === 1
    const type = (block >> 1) & 0b11
    if (type === 3) return 'Its Zstandard frame is damaged.'
    // A block of type 1 is one byte that is repeated.
    at += 3 + (type === 1 ? 1 : block >> 3)
  }
  if (at + CHECKSUM_BYTES > packed.length) return 'It is cut off.'
  return { length: at + CHECKSUM_BYTES, textBytes: contentSize(view, sizeAt, sizeBytes) }
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at)
  // A size of two bytes begins at 256.
  if (bytes === 2) return view.getUint16(at, true) + 256
  if (bytes === 4) return view.getUint32(at, true)
  return Number(view.getBigUint64(at, true))
}
