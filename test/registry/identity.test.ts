import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SERVICE_NAMESPACE, type ServiceIdentity, serviceIdOf } from '../../src/records/service/identity.ts'

interface Vectors {
  readonly namespace: string
  readonly vectors: readonly {
    readonly about: string
    readonly registration: ServiceIdentity
    readonly serviceId: string
  }[]
}

/** Computed by another implementation of UUIDv5 and JSON: they must never change. */
const { namespace, vectors } = JSON.parse(
  readFileSync(new URL('./identity-vectors.json', import.meta.url), 'utf8'),
) as Vectors

const identity = fc.record({
  serviceName: fc.string({ minLength: 1, unit: 'grapheme' }),
  version: fc.string({ minLength: 1, unit: 'grapheme' }),
  endpoint: fc.webUrl(),
})

describe('serviceIdOf', () => {
  it('uses the published namespace', () => {
    expect(SERVICE_NAMESPACE).toBe(namespace)
  })

  it.each(vectors)('vector: $about', ({ registration, serviceId }) => {
    expect(serviceIdOf(registration)).toBe(serviceId)
  })

  it('is a UUID of version 5', () => {
    fc.assert(
      fc.property(identity, (given) => {
        expect(serviceIdOf(given)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        )
      }),
    )
  })

  it('is the same exactly where name, version and endpoint are', () => {
    fc.assert(
      fc.property(identity, identity, (left, right) => {
        const href = ({ endpoint }: ServiceIdentity) => new URL(endpoint).href
        const same =
          left.serviceName === right.serviceName &&
          left.version === right.version &&
          href(left) === href(right)
        expect(serviceIdOf(left) === serviceIdOf(right)).toBe(same)
        expect(serviceIdOf({ ...left })).toBe(serviceIdOf(left))
      }),
    )
  })

  it('depends on the name and the instance alone where there is an instanceId', () => {
    fc.assert(
      fc.property(identity, identity, fc.string({ minLength: 1 }), (left, right, instanceId) => {
        const moved = { ...right, serviceName: left.serviceName, instanceId }
        expect(serviceIdOf(moved)).toBe(serviceIdOf({ ...left, instanceId }))
        expect(serviceIdOf(moved)).not.toBe(serviceIdOf(left))
      }),
    )
  })

  it('cannot be made equal by moving text from one part to the next', () => {
    const endpoint = 'http://cart:7070'
    const ids = [
      serviceIdOf({ serviceName: 'a"', version: 'b', endpoint }),
      serviceIdOf({ serviceName: 'a', version: '"b', endpoint }),
      serviceIdOf({ serviceName: 'a","b', version: 'b', endpoint }),
      serviceIdOf({ serviceName: 'a', version: 'b","b', endpoint }),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })
})
