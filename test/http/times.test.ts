import { describe, expect, it } from 'vitest'
import { readExpiry } from '../../src/http/reading/token-expiry.ts'
import { readTime } from '../../src/text/read-time.ts'
import { faultOf } from '../config/fault-of.ts'
import { register, withServer } from './with-server.ts'

const never = [
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2100-02-29T00:00Z',
  '2026-04-31T12:00:00+02:00',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T23:60:00Z',
  '2026-12-31T23:59:60Z',
  '2026-01-31T12:00:00+25:00',
  '2026-01-31T12:00:00-01:60',
]

describe('http: a time', () => {
  it.each<[text: string, time: string]>([
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T23:59Z', '2000-02-29T23:59:00.000Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
    ['2026-12-31T23:59:59.123456789-23:59', '2027-01-01T23:58:59.123Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
  ])('%s exists', (text, time) => {
    expect(new Date(readTime(text) ?? Number.NaN).toISOString()).toBe(time)
  })

  it.each([
    ...never,
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-1-31T12:00:00Z',
    '+02026-01-31T12:00:00Z',
    '',
  ])('%j is none', (text) => {
    expect(readTime(text)).toBeUndefined()
  })

  it.each(never)('that never was, %s, is refused wherever a request has one', (time) =>
    withServer(async (scope) => {
      const id = await register(scope)
      const at = encodeURIComponent(time)
      for (const path of [
        `/services?asOf=${at}`,
        `/services/${id}?asOf=${at}`,
        `/knowledge-graph?asOf=${at}`,
        `/knowledge-graph/impact?of=cart&asOf=${at}`,
        `/knowledge-graph/nodes/service:cart?asOf=${at}`,
        `/knowledge-graph/diff?from=${at}`,
        `/knowledge-graph/diff?from=0&to=${at}`,
      ]) {
        const { status, body } = await scope.ask(path)
        expect([path, status, body.code]).toEqual([path, 400, 'COORD_QUERY_INVALID'])
      }
      expect(readExpiry(time, 0)).toBeUndefined()
    }),
  )

  it.each(never)('that never was, %s, is refused as a setting', (AUTH_NOT_BEFORE) => {
    const fault = faultOf({ AUTH: 'required', AUTH_ADMIN_TOKEN: 'a'.repeat(32), AUTH_NOT_BEFORE })
    expect(fault.errors.map(({ path }) => path)).toEqual(['AUTH_NOT_BEFORE'])
  })
})
