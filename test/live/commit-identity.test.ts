import { describe, expect, it } from 'vitest'
import { EVERYBODY, type Principal } from '../../src/access/principal.ts'
import { Grants } from '../../src/access/scopes/grants.ts'
import { checkKey, identifyCommit } from '../../src/live/writing/idempotency.ts'
import { writtenBy } from '../support/written-by.ts'

const token = (id: string): Principal => ({ kind: 'token', id, actor: 'token:ci', grants: Grants.ALL })

function keyed(idempotencyKey: string, principal = EVERYBODY) {
  return { idempotencyKey, principal }
}

describe('the commit id that is made of a key', () => {
  // A request may be sent again after an upgrade: the store must find the commit of the version before.
  it('is the same in every version, whatever is wished under the key', () => {
    const id = '5e977325-a097-57dd-ae6a-286985b84935'
    expect(identifyCommit(keyed('order-4711'), { route: 'POST /register', body: {} }).commitId).toBe(id)
    expect(identifyCommit(keyed('order-4711'), { route: 'DELETE /services/x' }).commitId).toBe(id)
    expect(identifyCommit(keyed('order-4711'), { route: 'POST /register', index: 0 }).commitId).toBe(id)
  })

  it('is another one, and the same in every version, for each further place in a batch', () => {
    expect(identifyCommit(keyed('order-4711'), { route: 'POST /register', index: 1 }).commitId).toBe(
      '841663e0-ea02-5143-ba4d-f4852b8b08bb',
    )
  })

  it('is another one for each owner of the same key, and none that open access could have given', () => {
    const idOf = (key: string, owner: string, index?: number) =>
      identifyCommit(keyed(key, token(owner)), { route: 'A', ...(index === undefined ? {} : { index }) })
        .commitId
    const ids = [
      ...[idOf('k', 'token:a'), idOf('k', 'token:b'), idOf('k', 'token:a', 1), idOf('k', 'token:b', 1)],
      ...[idOf('token:a', 'k'), idOf('a', 'token:k'), idOf('["k"', 'token:a')],
      ...['k', '[{"owner":"token:a"},"k"]', 'token:a'].map(
        (key) => identifyCommit(keyed(key), { route: 'A' }).commitId,
      ),
    ]
    expect(new Set(ids).size).toBe(ids.length)
    expect(idOf('k', 'token:a')).toBe(ids[0])
  })

  it('is the same in every version for a key with an owner', () => {
    const wish = { route: 'POST /register' }
    expect(identifyCommit(keyed('order-4711', token('token:abc')), wish).commitId).toBe(
      '5345e475-2093-5cbd-901e-d9030afa1de4',
    )
  })

  it('is made anew without a key, and has no fingerprint', () => {
    const wish = { route: 'POST /register', body: {} }
    const [one, two] = [identifyCommit(writtenBy('x'), wish), identifyCommit(writtenBy('x'), wish)]
    expect(one.commitId).not.toBe(two.commitId)
    expect(Object.keys(one)).toEqual(['commitId'])
  })
})

describe('the fingerprint of a wish', () => {
  const of = (route: string, body?: unknown) =>
    identifyCommit(keyed('k'), body === undefined ? { route } : { route, body }).fingerprint

  it('is the same in every version, whatever the order of the members', () => {
    const expected = 'd75f6e28dd63ecda563a305cdfc68efba0d03763adbaaf4c51be25cf4178b68f'
    expect(of('POST /register', { b: 1, a: 'ü' })).toBe(expected)
    expect(of('POST /register', { a: 'ü', b: 1 })).toBe(expected)
  })

  it('differs by route, by body, and by whether there is a body', () => {
    const all = [of('A', {}), of('B', {}), of('A'), of('A', null), of('A', { a: 1 }), of('A', { a: 2 })]
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('an Idempotency-Key', () => {
  it('may have one to 255 visible characters of ASCII', () => {
    for (const key of ['k', 'a b', '~', 'x'.repeat(255)]) expect(() => checkKey(key)).not.toThrow()
    for (const key of ['', 'x'.repeat(256), 'ü', 'a\tb', '\u007f'])
      expect(() => checkKey(key)).toThrow(
        expect.objectContaining({
          code: 'COORD_HEADER_INVALID',
          outcome: 'not_written',
          errors: [expect.objectContaining({ path: 'idempotencyKey' })],
        }),
      )
  })
})
