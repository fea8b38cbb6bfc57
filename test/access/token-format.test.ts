import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createTokenText,
  hashSecret,
  isCreatable,
  parseToken,
  writeToken,
} from '../../src/access/token-format.ts'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base62 = (length: number) =>
  fc.array(fc.constantFrom(...digits), { minLength: length, maxLength: length }).map((all) => all.join(''))

/** CRC-32 bit by bit, as in ISO 3309. */
function plainChecksum(text: string): string {
  let crc = 0xffffffff
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  let rest = BigInt((crc ^ 0xffffffff) >>> 0)
  let written = ''
  for (let at = 0; at < 6; at += 1) {
    written = digits[Number(rest % 62n)] + written
    rest /= 62n
  }
  return written
}

const vectors = [
  [
    'cdt_000000000000_0000000000000000000000000000000000000000000',
    '000000000000',
    '0000000000000000000000000000000000000000000',
  ],
  [
    'cdt_abcdefghijkl_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
    'abcdefghijkl',
    'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
  ],
  [
    'cdt_Ab3dE6gH9jKl_q7WmZ0rT5yUxC2vBnL8kJ4hG6fD1sApOiYeRtQwE3z9',
    'Ab3dE6gH9jKl',
    'q7WmZ0rT5yUxC2vBnL8kJ4hG6fD1sApOiYeRtQwE3z9',
  ],
] as const

describe('the text of a token', () => {
  it('is prefix, id, secret and checksum, in 66 characters', () => {
    const { token, id, secretHash } = createTokenText()
    expect(token).toMatch(/^cdt_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/)
    const parts = parseToken(token)
    expect(parts?.id).toBe(id)
    expect(hashSecret(parts?.secret ?? '')).toBe(secretHash)
    expect(secretHash).toBe(createHash('sha256').update(token.slice(17, 60)).digest('hex'))
  })

  it.each(vectors)('%s... has the checksum of the definition', (_, id, secret) => {
    const token = writeToken({ id, secret })
    expect(token.slice(60)).toBe(plainChecksum(token.slice(0, 60)))
    expect(parseToken(token)).toEqual({ id, secret })
  })

  it('has the same checksum for ever', () => {
    expect(vectors.map(([, id, secret]) => writeToken({ id, secret }).slice(60))).toMatchInlineSnapshot(`
      [
        "3mP7lN",
        "3RrMIE",
        "4ChCHU",
      ]
    `)
  })

  it('is read again, whatever its digits', () => {
    fc.assert(
      fc.property(base62(12), base62(43), (id, secret) => {
        const token = writeToken({ id, secret })
        expect(token).toBe(`cdt_${id}_${secret}${plainChecksum(`cdt_${id}_${secret}`)}`)
        expect(parseToken(token)).toEqual({ id, secret })
      }),
    )
  })

  it('is refused when any character differs, is missing or is added', () => {
    const token = writeToken({ id: 'Ab3dE6gH9jKl', secret: vectors[2][2] })
    for (let at = 0; at < token.length; at += 1) {
      const others = ['0', '1', 'z', '_', '-', ' ', '\0', 'é', '\u{10041}', '']
      for (const other of others.filter((other) => other !== token[at])) {
        const changed = token.slice(0, at) + other + token.slice(at + 1)
        expect(parseToken(changed), changed).toBeUndefined()
      }
    }
    for (const changed of [
      `${token} `,
      ` ${token}`,
      `${token}0`,
      token.toUpperCase(),
      token.toLowerCase(),
      '',
    ])
      expect(parseToken(changed), changed).toBeUndefined()
  })

  it('with a right checksum over characters that are no digits of base 62 was created by nobody', () => {
    const secret = vectors[2][2]
    const parts = [
      { id: 'Ab3dE6gH9jK-', secret },
      { id: 'Ab3dE6gH9jK_', secret },
      { id: 'Ab3dE6gH9jKé', secret },
      { id: 'Ab3dE6gH9jKl', secret: `${secret.slice(0, 42)}-` },
      { id: 'Ab3dE6gH9jKl', secret: `${secret.slice(0, 42)}\n` },
    ]
    for (const some of parts) {
      expect(parseToken(writeToken(some))).toEqual(some)
      expect(isCreatable(some), JSON.stringify(some)).toBe(false)
    }
    expect(isCreatable({ id: 'Ab3dE6gH9jKl', secret })).toBe(true)
    for (const body of [`cdx_Ab3dE6gH9jKl_${secret}`, `cdt_Ab3dE6gH9jKl-${secret}`])
      expect(parseToken(body + plainChecksum(body)), body).toBeUndefined()
  })

  it('uses every digit about equally often in id and secret', () => {
    const counts = new Map<string, number>()
    const rounds = 1_000
    for (let round = 0; round < rounds; round += 1) {
      const { id, secret } = parseToken(createTokenText().token) as { id: string; secret: string }
      for (const digit of id + secret) counts.set(digit, (counts.get(digit) ?? 0) + 1)
    }
    const mean = (rounds * 55) / 62
    expect(counts.size).toBe(62)
    // 887 each, with a standard deviation of 30: 8 of them away happens once in 10^13 runs.
    for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(8 * Math.sqrt(mean))
  })

  it('never comes twice', () => {
    const texts = Array.from({ length: 1_000 }, () => createTokenText())
    expect(new Set(texts.map(({ id }) => id)).size).toBe(1_000)
    expect(new Set(texts.map(({ token }) => token.slice(17, 60))).size).toBe(1_000)
  })
})
