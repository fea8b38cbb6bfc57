import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { actorOf } from '../../src/access/actor.ts'
import { EVERYBODY, PROGRAM, type Principal } from '../../src/access/principal.ts'
import { Grants } from '../../src/access/scopes/grants.ts'

const address = '192.0.2.1'

function proved(actor: string): Principal {
  return { kind: 'token', id: actor, actor, grants: Grants.READ }
}

describe('the actor of a change', () => {
  it.each([
    [proved('token:ci'), undefined, 'token:ci'],
    [proved('admin'), '', 'admin'],
    [proved('token:ci'), 'deploy job', 'token:ci as deploy%20job'],
    [proved('jwt:auth0%7C1'), 'Jürgen 🦊', 'jwt:auth0%7C1 as J%C3%BCrgen%20%F0%9F%A6%8A'],
    [EVERYBODY, undefined, 'http:192.0.2.1'],
    [EVERYBODY, 'ops', 'http:192.0.2.1 as ops'],
    [EVERYBODY, 'token:ci', 'http:192.0.2.1 as token%3Aci'],
    [EVERYBODY, 'x as token:ci', 'http:192.0.2.1 as x%20as%20token%3Aci'],
    [EVERYBODY, 'a\ud800', 'http:192.0.2.1 as a%EF%BF%BD'],
    [PROGRAM, undefined, 'library'],
    [PROGRAM, 'importer', 'library as importer'],
  ])('%#: is who proved it, then what was claimed', (principal, claim, actor) => {
    expect(actorOf(principal, { address, claim })).toBe(actor)
  })

  it.each([
    ['::ffff:192.0.2.1', 'http:192.0.2.1'],
    ['2001:db8::1', 'http:2001:db8::1'],
    ['fe80::1%eth0', 'http:fe80::1%eth0'],
    ['', 'http:unknown'],
    ['192.0.2.1 as admin', 'http:192.0.2.1_as_admin'],
  ])('shows the address %j as %s', (from, actor) => {
    expect(actorOf(EVERYBODY, { address: from })).toBe(actor)
  })

  it('has at most 256 characters, and a claim ends after a whole character', () => {
    const claim = 'a'.repeat(300)
    expect(actorOf(proved('token:ci'), { address, claim })).toBe(`token:ci as ${'a'.repeat(244)}`)
    const foxes = actorOf(proved('token:ci'), { address, claim: '🦊'.repeat(300) })
    expect(foxes).toBe(`token:ci as ${'%F0%9F%A6%8A'.repeat(20)}`)
  })

  it('names different callers differently, even if their names are too long', () => {
    const long = `jwt:${'%C3%A4'.repeat(200)}`
    const [one, other] = [`${long}1`, `${long}2`].map((actor) =>
      actorOf(proved(actor), { address, claim: 'me' }),
    )
    expect(one).toHaveLength(256)
    expect(one).toMatch(/^jwt:(%C3%A4)+[%C3A4]*#[0-9a-f]{16}$/)
    expect(other).not.toBe(one)
  })

  it('is valid for the journal, and begins with what was proved, whatever is claimed', () => {
    const text = fc
      .array(fc.constantFrom(...'ab %é日🦊\0\n:', '\ud800', ' as ', 'x'.repeat(60)), { maxLength: 40 })
      .map((parts) => parts.join(''))
    const principal = fc.constantFrom(
      EVERYBODY,
      PROGRAM,
      proved('token:ci'),
      proved(`jwt:${'x'.repeat(250)}`),
    )
    fc.assert(
      fc.property(principal, text, text, (principal, claim, from) => {
        const actor = actorOf(principal, { address: from, claim })
        expect(actor.length).toBeGreaterThan(0)
        expect(actor.length).toBeLessThanOrEqual(256)
        expect(actor.isWellFormed()).toBe(true)
        expect(actor).toMatch(/^[^\s\p{C}]+( as [\w.!~*'()%-]+)?$/u)
        const [before, claimed = ''] = actor.split(' as ')
        expect(before).toBe(actorOf(principal, { address: from }))
        expect(claim.toWellFormed().startsWith(decodeURIComponent(claimed))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
