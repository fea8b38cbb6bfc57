import { describe, expect, it } from 'vitest'
import { ADDED_FIELDS, registration } from '../../src/records/service/service.ts'
import { serviceCheck } from '../../src/records/service/service-check.ts'

const least = { serviceName: 'cart', version: '1', endpoint: 'anything' }

describe('serviceCheck', () => {
  it('lets through what a person may write and everybody can read', () => {
    for (const more of [
      {},
      { tags: ['a', 'a'], metadata: {}, unknown: { x: 1 } },
      { dependencies: ['a', { serviceName: 'b', extra: 1 }], ttlSeconds: 7, migrationFile: {} },
      { namespace: 'shop', dependencies: [{ serviceName: 'a', namespace: 'default' }] },
      { namespace: 'default' },
      { description: '', instanceId: 'x', healthCheck: '', capabilities: [] },
    ])
      expect(serviceCheck({ ...least, ...more })).toBeUndefined()
  })

  it('refuses no field of a registration: members that answers add have other names', () => {
    expect(registration.names.filter((name) => ADDED_FIELDS.includes(name))).toEqual([])
  })

  it.each<[string, unknown]>([
    ['no object', null],
    ['an array', []],
    ['a text', 'x'],
    ['no serviceName', { ...least, serviceName: undefined }],
    ['an empty serviceName', { ...least, serviceName: '' }],
    ['a number as version', { ...least, version: 1 }],
    ['no endpoint', { ...least, endpoint: null }],
    ['a number as healthCheck', { ...least, healthCheck: 1 }],
    ['a number as description', { ...least, description: 1 }],
    ['a number as instanceId', { ...least, instanceId: 1 }],
    ['a text as ttlSeconds', { ...least, ttlSeconds: '1' }],
    ['half a second', { ...least, ttlSeconds: 0.5 }],
    ['no seconds', { ...least, ttlSeconds: 0 }],
    ['too many seconds', { ...least, ttlSeconds: 2 ** 31 }],
    ['an array as metadata', { ...least, metadata: [] }],
    ['a text as migrationFile', { ...least, migrationFile: 'x' }],
    ['null as tags', { ...least, tags: null }],
    ['a number among tags', { ...least, tags: ['a', 1] }],
    ['a text as capabilities', { ...least, capabilities: 'a' }],
    ['an object as dependencies', { ...least, dependencies: {} }],
    ['an empty dependency', { ...least, dependencies: [''] }],
    ['a dependency without name', { ...least, dependencies: [{ version: '1' }] }],
    ['a dependency with a wrong version', { ...least, dependencies: [{ serviceName: 'a', version: 1 }] }],
    ['a number as namespace', { ...least, namespace: 1 }],
    ['a namespace that would look like part of another id', { ...least, namespace: 'a:b' }],
    ['an empty namespace', { ...least, namespace: '' }],
    ['a dependency in no namespace', { ...least, dependencies: [{ serviceName: 'a', namespace: 'A' }] }],
    ['a status', { ...least, status: 'active' }],
    ['a serviceId', { ...least, serviceId: 'x' }],
  ])('says what is wrong with %s', (_, data) => {
    expect(serviceCheck(data)).toEqual(expect.any(String))
  })
})
