import { describe, expect, it } from 'vitest'
import { createRequestIds } from '../../src/http/reading/request-ids.ts'

describe('request ids', () => {
  it('are unique within and across processes', () => {
    const [one, other] = [createRequestIds(), createRequestIds()]
    const ids = Array.from({ length: 1_000 }, () => [one(undefined), other(undefined)]).flat()
    expect(new Set(ids).size).toBe(2_000)
  })

  it.each(['abc-123', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'a/b:c@d=e+f.g_h'])(
    'take over the id %s of a client',
    (id) => {
      expect(createRequestIds()(id)).toBe(id)
    },
  )

  it.each([[''], ['a b'], ['a\nb'], ['"'], ['x'.repeat(129)], [['a', 'b']]])(
    'do not take over %j',
    (header) => {
      expect(createRequestIds()(header)).toMatch(/^[0-9a-f]{12}-1$/)
    },
  )
})
