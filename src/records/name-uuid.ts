import { hash } from 'node:crypto'

const NAMESPACE_BYTES = 16

/** The bytes to hash, namespace first. The buffer is reused, and its content is valid only within one call. */
let bytes = Buffer.alloc(1_024)
/** The namespace that is in the buffer now. */
let present = ''

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
  const hex = hash('sha1', bytes.subarray(0, end), 'hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
