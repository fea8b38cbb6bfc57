import { hash } from 'node:crypto'

/**
 * A UUID of version 5 (RFC 9562): the same for the same name in the same namespace, everywhere. Every registration needs
 * one; `uuid` of npm takes ten times as long, because it feeds a hash object piece by piece.
 */
export function nameUuid(name: string, namespace: string): string {
  const bytes = Buffer.allocUnsafe(16 + Buffer.byteLength(name))
  bytes.write(namespace.replaceAll('-', ''), 'hex')
  bytes.write(name, 16)
  const hex = hash('sha1', bytes, 'hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
