import { hash } from 'node:crypto'
import { uuidText } from '../text/uuid-text.ts'

const NAMESPACE_BYTES = 16

/** The bytes to hash, namespace first. The buffer is reused, and its content is valid only within one call. */
let bytes = Buffer.alloc(1_024)
/** The namespace that is in the buffer now. */
let present = ''
/** The bytes of the UUID. Reused, too. */
const uuid = new Uint8Array(16)

/**
 * A UUID of version 5 (RFC 9562): the same name in the same namespace always gives the same UUID. Every registration needs one. The package
 * `uuid` feeds a hash object piece by piece, and took ten times as long.
 */
export function nameUuid(name: string, namespace: string): string {
  // No UTF-16 code unit takes more than three bytes.
  const room = NAMESPACE_BYTES + name.length * 3
  if (bytes.length < room) {
    bytes = Buffer.alloc(room)
    present = ''
  }
  if (present !== namespace) {
    bytes.write(namespace.replaceAll('-', ''), 'hex')
    present = namespace
  }
  const end = NAMESPACE_BYTES + bytes.write(name, NAMESPACE_BYTES)
  // A text of one code unit for each byte costs less than a buffer.
  const digest = hash('sha1', bytes.subarray(0, end), 'binary')
  for (let index = 0; index < uuid.length; index += 1) uuid[index] = digest.charCodeAt(index)
  uuid[6] = ((uuid[6] as number) & 0x0f) | 0x50
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80
  return uuidText(uuid)
}
