import { describe, expect, it } from 'vitest'
import { readSelection } from '../../../src/archive/restore/selection.ts'
import { canonicalJson } from '../../../src/records/canonical-json.ts'

const cart = { kind: 'service', id: 'id-1', data: canonicalJson({ serviceName: 'cart' }) }
const shopCart = {
  kind: 'service',
  id: 'id-2',
  data: canonicalJson({ serviceName: 'cart', namespace: 'shop' }),
}
const slashed = { kind: 'service', id: 'id-3', data: canonicalJson({ serviceName: 'a/b' }) }
const node = { kind: 'node', id: 'database:main', data: canonicalJson({ id: 'database:main' }) }
const all = [cart, shopCart, slashed, node]

const chosen = (...texts: string[]) => all.filter((record) => readSelection(texts)?.has(record))

describe('a selection', () => {
  it.each([
    ['service:cart', [cart, shopCart]],
    ['service:shop/cart', [shopCart]],
    ['service:default/cart', [cart]],
    ['service:a/b', [slashed]],
    ['service:id-2', [shopCart]],
    ['service:*', [cart, shopCart, slashed]],
    ['node:database:main', [node]],
    ['node:*', [node]],
    ['namespace:shop', [shopCart]],
    ['namespace:default', [cart, slashed, node]],
    ['service:car', []],
    ['edge:*', []],
  ])('%s names its records', (text, records) => {
    expect(chosen(text)).toEqual(records)
  })

  it('of several texts has what any of them names', () => {
    expect(chosen('service:a/b', 'namespace:shop')).toEqual([shopCart, slashed])
  })

  it.each([[['cart']], [['service:']], [[':cart']], [['service:cart', 'x']], [[]]])(
    'is none of %j',
    (texts) => {
      expect(readSelection(texts)).toBeUndefined()
    },
  )
})
