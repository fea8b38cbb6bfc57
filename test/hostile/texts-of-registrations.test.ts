// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates that were never filled in are what is read
import { describe, expect, it } from 'vitest'
import { readVersion } from '../../src/records/read-version.ts'
import { endpointFault, endpointHref } from '../../src/records/service/endpoint.ts'
import { oddTexts } from '../../src/records/service/odd-texts.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import { cart, withRegistry } from '../registry/with-registry.ts'
import { dearness } from '../support/dearness.ts'

/** Processor time of a piece of work, in milliseconds. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const fill = (text: string, length: number) => text.repeat(length).slice(0, length)
const pieces = [
  ...[
    '${',
    '$(',
    '{{',
    '<a',
    '<a>',
    '${a}',
    '1.',
    '1',
    ',',
    'a,',
    ':',
    '%',
    '%2',
    '[',
    ']',
    'é',
    '/..',
    '?',
    '&password',
  ],
  ...['.', '-', '-rc', '-a', 'a-', '+', '\u200b', '\ufdfa', 'A', '\u00a0', '"', '|', '||', '@', '#'],
]

describe('the texts of registrations', () => {
  it('are read as endpoints in time in proportion to their length', () => {
    const read = (length: number) => () => {
      for (const scheme of ['http://', 'x://', 'unix:///', 'x://a/', 'http://${'])
        for (const piece of pieces) endpointHref(scheme + fill(piece, length))
    }
    read(2_000)()
    // 170 texts of 2,000 characters: some 5 ms.
    expect(cpuMs(read(2_000))).toBeLessThan(60 * dearness())
    expect(endpointFault(`x://${fill('a', 2_045)}`)).toMatchObject({ code: 'COORD_ENDPOINT_TOO_LONG' })
  })

  it('are read as versions in time in proportion to their length', () => {
    const read = () => {
      for (const begin of ['', '1', '1.', '1.2.3-', 'v1-', '2024-'])
        for (const piece of pieces) for (let at = 0; at < 10; at += 1) readVersion(begin + fill(piece, 122))
    }
    read()
    // 2,040 texts of 128 characters: some 10 ms.
    expect(cpuMs(read)).toBeLessThan(100 * dearness())
  })

  it('are searched for what nobody can have meant as fast as they are read', () => {
    const registrations = pieces.map((piece) => {
      const name = `a${fill(piece, 253)}a`
      const dependencies = Array.from({ length: 256 }, () => name)
      return parseRegistration({ ...cart, serviceName: name, instanceId: name, dependencies }).registration
    })
    const search = () => {
      for (const registration of registrations) oddTexts(registration)
    }
    search()
    // 34 registrations with 256 names of 255 characters each: some 40 ms.
    expect(cpuMs(search)).toBeLessThan(400 * dearness())
  })

  it('cost a registration with the most ranges not more than a few milliseconds', () =>
    withRegistry(async ({ registry }) => {
      await registry.registerBatch(Array.from({ length: 8 }, (_, at) => ({ ...cart, version: `1.${at}.0` })))
      const dependencies = Array.from({ length: 256 }, (_, at) => ({
        serviceName: at % 2 === 0 ? 'cart' : `other-${at}`,
        version: `${Array.from({ length: 16 }, (_, one) => `>=90.${one}.0 <90`).join('||')}||${at}`.slice(
          -255,
        ),
      }))
      const web = { ...cart, serviceName: 'web', dependencies }
      const before = process.cpuUsage()
      for (let at = 0; at < 20; at += 1)
        expect((await registry.register({ ...web, description: `${at}` })).warnings).toHaveLength(32)
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1_000 / 20).toBeLessThan(15 * dearness())
    }))
})
