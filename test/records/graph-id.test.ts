import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isTypeName,
  labelOfNodeId,
  namespaceOfNodeId,
  nodeId,
  nodeIdIn,
  normalEdge,
  normalNodeId,
  parseEdgeId,
  parseNodeId,
  recordIdOf,
  serviceNameOf,
  serviceNodeId,
} from '../../src/records/graph/graph-id.ts'

const name = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((text) => !text.includes('\0'))
const word = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,8}$/)

describe('ids of nodes', () => {
  it('are taken apart into what they were made of', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('service', 'api', 'x.y'),
        fc.array(fc.oneof(name, word), { minLength: 1, maxLength: 3 }),
        (type, parts) => {
          expect(parseNodeId(nodeId(type, ...parts))).toEqual({ type, namespace: 'default', parts })
          expect(normalNodeId(nodeId(type, ...parts))).toBe(nodeId(type, ...parts))
        },
      ),
    )
  })

  it('of services lead back to the name, in their only right form', () => {
    fc.assert(
      fc.property(fc.oneof(name, word), (text) => {
        expect(serviceNameOf(serviceNodeId(text))).toBe(text)
        expect(serviceNodeId(text)).toBe(nodeId('service', text))
      }),
    )
  })

  it.each([
    'service:%61',
    'service:a:b',
    'service:%',
    'service:%zz',
    'service:a b',
    'services:a',
    'api:a',
    'a',
    '',
  ])('of other nodes, or written in another way, are those of no service: %j', (id) =>
    expect(serviceNameOf(id)).toBeUndefined(),
  )

  it('of names that are no Unicode text are those of what they are shown as', () => {
    expect(serviceNodeId('a\ud800')).toBe(serviceNodeId('a\ufffd'))
    expect(serviceNameOf(serviceNodeId('a\ud800'))).toBe('a\ufffd')
  })
})

/** How ids were read before there were namespaces. */
const before = {
  part: (text: string) => encodeURIComponent(text.toWellFormed()),
  id: (type: string, ...parts: readonly string[]) => [type, ...parts.map(before.part)].join(':'),
  parse: (id: string) => {
    if (id.length > 4_096 || !id.isWellFormed()) return undefined
    const [type = '', ...encoded] = id.split(':')
    if (!isTypeName(type) || encoded.length === 0 || encoded[0] === '') return undefined
    try {
      const parts = encoded.map(decodeURIComponent)
      return parts.some((part) => part.includes('\0')) || before.id(type, ...parts) !== id
        ? undefined
        : { type, parts }
    } catch {
      return undefined
    }
  },
  normal: (text: string) => {
    if (before.parse(text) !== undefined) return text
    if (!text.isWellFormed()) return undefined
    const [type = '', ...parts] = text.split(':')
    const id = before.id(type, ...parts)
    return before.parse(id) === undefined ? undefined : id
  },
}

/** Texts near to ids: the characters that mean something in them are frequent. */
const nearlyId = fc
  .array(
    fc.oneof(fc.constantFrom('@', ':', '%', '%40', '%3A', ',', 'shop', 'default', 'service', 'a'), name),
    {
      maxLength: 8,
    },
  )
  .map((pieces) => pieces.join(''))
const namespace = fc.oneof(
  fc.constantFrom('default', 'shop', 'a', '-', '0', 'x'.repeat(63)),
  fc.stringMatching(/^[a-z0-9-]{1,10}$/),
)

describe('namespaces in ids of nodes', () => {
  const parts = fc.array(fc.oneof(name, word, fc.constantFrom('@', '@shop', '@shop:a', '%40')), {
    minLength: 1,
    maxLength: 3,
  })
  const placed = fc.record({ type: fc.constantFrom('service', 'api', 'x.y'), namespace, parts })

  it('stand as a raw @name before the other parts, and not at all in the namespace default', () => {
    expect(serviceNodeId('cart', 'shop')).toBe('service:@shop:cart')
    expect(nodeIdIn('shop', 'table', 'db', 'orders')).toBe('table:@shop:db:orders')
    expect(nodeIdIn('shop', 'api', 'cart', 'GET', '/a')).toBe('api:@shop:cart:GET:%2Fa')
    expect([serviceNodeId('cart', 'default'), nodeIdIn('default', 'table', 't')]).toEqual([
      'service:cart',
      'table:t',
    ])
    expect(serviceNodeId('@shop:cart')).toBe('service:%40shop%3Acart')
  })

  it('are read again, and no two different nodes have one id', () => {
    fc.assert(
      fc.property(placed, placed, (one, other) => {
        const id = nodeIdIn(one.namespace, one.type, ...one.parts)
        expect(parseNodeId(id)).toEqual(one)
        expect(normalNodeId(id)).toBe(id)
        expect(namespaceOfNodeId(id)).toBe(one.namespace)
        expect(labelOfNodeId(id)).toBe(one.parts.join(' '))
        expect(serviceNameOf(id)).toBe(
          one.type === 'service' && one.namespace === 'default' && one.parts.length === 1
            ? one.parts[0]
            : undefined,
        )
        const isSame = JSON.stringify(one) === JSON.stringify(other)
        expect(nodeIdIn(other.namespace, other.type, ...other.parts) === id).toBe(isSame)
      }),
      { numRuns: 2_000 },
    )
  })

  it('change no id of before: each is read as it was, and means the namespace default', () => {
    fc.assert(
      fc.property(nearlyId, (text) => {
        const [was, is] = [before.parse(text), parseNodeId(text)]
        if (was !== undefined) expect(is).toEqual({ ...was, namespace: 'default' })
        else if (is !== undefined) expect(text).toMatch(/^[a-zA-Z0-9_.-]+:@[a-z0-9-]{1,63}:/)
        // Only a decoded @name before other parts is read in another way now.
        if (!/^[^:]+:@[a-z0-9-]{1,63}:./s.test(text)) expect(normalNodeId(text)).toBe(before.normal(text))
      }),
      { numRuns: 5_000 },
    )
  })

  it.each([
    'service:@default:cart',
    'service:@shop',
    'service:@shop:',
    'service:@shop::a',
    'service:@Shop:cart',
    'service:@:cart',
    'service:@shop:@shop:cart',
    'service:@shop:a b',
    `service:@${'x'.repeat(64)}:cart`,
    '@shop:service:cart',
  ])('are refused in any other form: %j', (id) => expect(parseNodeId(id)).toBeUndefined())

  it('are found in ids that were decoded on the way', () => {
    expect(normalNodeId('service:@shop:my cart')).toBe('service:@shop:my%20cart')
    expect(normalNodeId('service:@default:cart')).toBeUndefined()
    expect(normalNodeId('package:@angular/core:17')).toBe('package:%40angular%2Fcore:17')
    expect(normalNodeId('team:@payments')).toBe('team:%40payments')
    expect(normalEdge('service:@shop:my cart,depends_on,service:@blog:a b')).toEqual({
      source: 'service:@shop:my%20cart',
      type: 'depends_on',
      target: 'service:@blog:a%20b',
      origin: 'asserted',
    })
  })
})

describe('ids of the records that hold what is asserted', () => {
  it('are readable up to 512 characters, and a hash beyond, the same in every version', () => {
    const [at, beyond] = [`team:${'x'.repeat(507)}`, `team:${'x'.repeat(508)}`]
    expect(at).toHaveLength(512)
    expect(recordIdOf(at)).toBe(at)
    expect(recordIdOf(beyond)).toBe('sha256:cda658e9311f575f22fb6910b691234d3888bb5c69085c2d5f73ad82eab478c0')
  })

  it('of nodes may have 4,096 characters, and not one more', () => {
    const id = (length: number) => `team:${'x'.repeat(length - 5)}`
    expect(parseNodeId(id(4_096))?.type).toBe('team')
    expect(parseNodeId(id(4_097))).toBeUndefined()
  })

  it('of types have at most 64 characters, and begin with a letter', () => {
    expect(['a', `a${'b'.repeat(63)}`, 'a_b.c-d'].map(isTypeName)).toEqual([true, true, true])
    expect(['', `a${'b'.repeat(64)}`, '1a', '_a', 'a b', 'a:b', 'a,b'].map(isTypeName)).toEqual(
      Array(7).fill(false),
    )
  })

  it('of edges mean what was asserted where they name no origin', () => {
    expect(parseEdgeId('a:x,t,b:y')).toEqual({ source: 'a:x', type: 't', target: 'b:y', origin: 'asserted' })
    expect(parseEdgeId('a:x,t,b:y,observed')?.origin).toBe('observed')
    for (const text of ['a:x,t,b:y,guessed', 'a:x,t,b:y,declared,', 'a:x,t', 'a,t,b:y', 'a:x,1t,b:y', ''])
      expect(parseEdgeId(text), text).toBeUndefined()
  })
})
