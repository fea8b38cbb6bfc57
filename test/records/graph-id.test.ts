import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isTypeName,
  nodeId,
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
          expect(parseNodeId(nodeId(type, ...parts))).toEqual({ type, parts })
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
