import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextDigest } from '../../src/records/digest.ts'

const lineage = '11111111-1111-4111-8111-111111111111'

/** A history of three commits: for every language that wants to check a digest. */
const vectors: readonly (readonly [string, string])[] = [
  [
    'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
    '0dde99deb31d12b68eaf19efd4817e8f5c8ae49fd0f0135d5a3a44ebd6599cfb',
  ],
  [
    'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb',
    '7fc35d3814bc8d100e1f5305f90b91363058a030a4344d38b7b22444d2047d2e',
  ],
  [
    'cccccccc-cccc-4ccc-8ccc-cccccccccccc',
    '99a994a0064099daad23b6afc1290deb1503eb7981d3539c8ca9539867cfbdae',
  ],
]

describe('digests', () => {
  it('chain from the lineage over the commit ids, as the vectors say', () => {
    let digest = lineage
    for (const [commitId, expected] of vectors) {
      digest = nextDigest(digest, commitId)
      expect(digest).toBe(expected)
    }
  })

  it('are SHA-256 over the text of the digest before, followed by the id, in lower-case hex', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (previous, commitId) => {
        const digest = nextDigest(previous, commitId)
        expect(digest).toBe(createHash('sha256').update(previous).update(commitId).digest('hex'))
        expect(digest).toMatch(/^[0-9a-f]{64}$/)
      }),
    )
  })

  it('differ as soon as one commit or the order of two does', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 8 }), fc.uuid(), (ids, start) => {
        const chain = (list: readonly string[]) => list.reduce(nextDigest, start)
        const swapped = [ids[1] as string, ids[0] as string, ...ids.slice(2)]
        expect(chain(swapped)).not.toBe(chain(ids))
        expect(chain(ids.slice(1))).not.toBe(chain(ids))
      }),
    )
  })
})
