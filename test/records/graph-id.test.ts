import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  nodeId,
  normalNodeId,
  parseNodeId,
  serviceNameOf,
  serviceNodeId,
} from '../../src/records/graph-id.ts'

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
