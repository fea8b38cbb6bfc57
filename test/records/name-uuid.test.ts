import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameUuid } from '../../src/records/name-uuid.ts'

const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

/** By the letter of RFC 9562, section 5.5. */
function plainNameUuid(name: string, namespace: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

describe('nameUuid', () => {
  it('makes the example of RFC 9562, appendix A.4', () => {
    expect(nameUuid('www.example.com', dns)).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2')
  })

  it('hashes namespace and name, whatever was hashed before', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 300, max: 5_000 }).map((length) => '日'.repeat(length)),
    )
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            name,
            fc.constantFrom(dns, ...['1', 'f'].map((digit) => dns.replaceAll(/[0-9a-f]/g, digit))),
          ),
        ),
        (given) => {
          for (const [text, namespace] of given)
            expect(nameUuid(text, namespace)).toBe(plainNameUuid(text, namespace))
        },
      ),
    )
  })
})
