import { describe, expect, it } from 'vitest'
import { healthFrom } from '../../console/src/pages/graph/data/health-from.ts'
import { bucketOf, type Density, inOrder, momentAt } from '../../console/src/pages/time/data/density.ts'
import { bodyOf, idOf, isEmpty, namedService, wishFrom } from '../../console/src/pages/what-if/change-wish.ts'
import { cliCommand } from '../../console/src/pages/what-if/pipeline-commands.ts'

describe('a change in the address', () => {
  it('names services by the id of the node or by their name, in any namespace', () => {
    for (const service of [{ serviceName: 'cart' }, { serviceName: 'a:b/c', namespace: 'shop' }])
      expect(namedService(idOf(service))).toEqual(service)
    expect(namedService('cart')).toEqual({ serviceName: 'cart' })
    expect(namedService('service:100%')).toEqual({ serviceName: '100%' })
  })

  it('becomes the body of a simulation', () => {
    const wish = wishFrom({
      remove: ['service:flagd', 'service:@shop:cart'],
      version: ['service:cart=4.0.0', 'nonsense'],
      register: '{"serviceName": "new"}',
    })
    expect(bodyOf(wish)).toEqual({
      remove: ['flagd', { serviceName: 'cart', namespace: 'shop' }],
      changeVersion: [{ serviceName: 'cart', version: '4.0.0' }],
      register: [{ serviceName: 'new' }],
    })
    expect(isEmpty(wishFrom({ remove: [], version: ['nonsense'], register: ' ' }))).toBe(true)
    expect(() => bodyOf({ ...wish, register: '{' })).toThrow(SyntaxError)
  })

  it('becomes a command only if the command can ask it, and every value may be pasted', () => {
    const wish = (remove: string[]) => wishFrom({ remove, version: [], register: undefined })
    const url = 'http://127.0.0.1:3000'
    expect(cliCommand(url, wish(['service:@shop:cart'])).command).toBe(
      'npx coordinator graph what-if --remove cart --namespace shop --url http://127.0.0.1:3000',
    )
    expect(cliCommand(url, wish(['cart', 'service:@shop:cart'])).why).toContain('one namespace at a time')
    expect(cliCommand(url, wish(['a\u202eb']))).toEqual({ command: undefined })
  })
})

describe('the moments of the slider', () => {
  const density: Density = {
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-01T00:03:00.000Z',
    buckets: [
      { from: '2026-01-01T00:00:00.000Z', changes: 5, revision: 12 },
      { from: '2026-01-01T00:01:00.000Z', changes: 0, revision: 12 },
      { from: '2026-01-01T00:02:00.000Z', changes: 3, revision: 15 },
    ],
    changes: 8,
    keptFrom: '2026-01-01T00:00:00.000Z',
    floorRevision: 7,
    revision: 15,
  }

  it('are buckets: a revision is in the first one that reaches it, a time in the one around it', () => {
    expect(['8', '12', '13', '99', undefined].map((moment) => bucketOf(density, moment))).toEqual([
      0, 0, 2, 2, 2,
    ])
    expect(bucketOf(density, '2026-01-01T00:01:30Z')).toBe(1)
    expect(bucketOf(density, '2025-01-01T00:00:00Z')).toBe(0)
  })

  it('are in order, even if one slider was moved past the other one', () => {
    expect(inOrder(density, '15', '12')).toEqual(['12', '15'])
    expect(inOrder(density, '12', '15')).toEqual(['12', '15'])
    expect(inOrder(density, '15', undefined)).toEqual(['15', undefined])
    expect(inOrder(density, '15', '2026-01-01T00:00:30Z')).toEqual(['2026-01-01T00:00:30Z', '15'])
  })

  it('are revisions, so that a link shows the same tomorrow; the last one is now', () => {
    expect([0, 1, 2].map((at) => momentAt(density, at))).toEqual(['12', '12', undefined])
    expect(momentAt({ ...density, floorRevision: 14 }, 0)).toBe('14')
  })
})

describe('the health of nodes', () => {
  it('is the most urgent one of the instances, and the cut list has all that are on no list', () => {
    const of = healthFrom([
      { health: 'down', names: ['a'], cut: false },
      { health: 'unknown', names: ['b'], cut: true },
      { health: 'up', names: ['a', 'c'], cut: false },
    ])
    expect(['a', 'b', 'c', 'elsewhere'].map(of)).toEqual(['down', 'unknown', 'up', 'unknown'])
  })

  it('is not guessed where two lists are cut', () => {
    const of = healthFrom([
      { health: 'unknown', names: [], cut: true },
      { health: 'up', names: [], cut: true },
    ])
    expect(of('a')).toBeUndefined()
  })
})
