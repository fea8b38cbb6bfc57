import { describe, expect, it } from 'vitest'
import type { QueryValues } from '../../src/http/reading/read-query.ts'
import { parseListQuery } from '../support/parse-list-query.ts'

describe('parseListQuery', () => {
  it('takes every parameter, and leaves those of every read alone', () => {
    expect(
      parseListQuery({
        name: 'a b',
        version: '^3',
        tag: ['y', 'x', 'y'],
        capability: 'c',
        status: 'active',
        health: 'up',
        'metadata.k': ['2', '1'],
        'metadata.a.b': '',
        limit: '7',
        cursor: 'c',
        fields: 'version, serviceName',
        minRevision: '1',
        consistency: 'latest',
        asOf: '3',
      }),
    ).toEqual({
      filters: {
        name: 'a b',
        version: '^3',
        tags: ['x', 'y'],
        capabilities: ['c'],
        status: 'active',
        health: 'up',
        metadata: [
          ['a.b', ''],
          ['k', '1'],
          ['k', '2'],
        ],
      },
      limit: 7,
      cursor: 'c',
      fields: ['version', 'serviceName'],
    })
    expect(parseListQuery({ tag: undefined })).toEqual({
      filters: { tags: [], capabilities: [], metadata: [] },
      limit: 100,
    })
  })

  it.each<[given: QueryValues, path: string, message: RegExp]>([
    [{ nmae: 'x' }, 'query.nmae', /did you mean name\?/],
    [{ 'metadata.': 'x' }, 'query.metadata.', /is not known here/],
    [{ limit: '0' }, 'query.limit', /from 1 to 1000/],
    [{ limit: '1001' }, 'query.limit', /from 1 to 1000/],
    [{ limit: '1e2' }, 'query.limit', /from 1 to 1000/],
    [{ limit: '-1' }, 'query.limit', /from 1 to 1000/],
    [{ limit: ['1', '2'] }, 'query.limit', /only once/],
    [{ name: ['a', 'b'] }, 'query.name', /only once/],
    [{ name: '' }, 'query.name', /empty/],
    [{ tag: ['a', ''] }, 'query.tag', /empty/],
    [{ tag: 'x'.repeat(16_385) }, 'query.tag', /16384/],
    [{ capability: 'a\0' }, 'query.capability', /not text/],
    [{ status: 'activ' }, 'query.status', /did you mean active\?/],
    [{ health: 'dead' }, 'query.health', /must be one of unknown, up, down, expired/],
    [{ fields: 'version,nmae' }, 'query.fields', /names nmae/],
    [{ fields: 'version,' }, 'query.fields', /names , which/],
    [{ name: 'a\0' }, 'query.name', /cannot|not text/],
    [{ 'metadata.k': 'x'.repeat(16_385) }, 'query.metadata.k', /16384/],
    [{ ['x'.repeat(500)]: '1' }, `query.${'x'.repeat(64)}`, /is not known here/],
  ])('refuses %j', (given, path, message) => {
    expect(() => parseListQuery(given)).toThrow(
      expect.objectContaining({
        code: 'COORD_QUERY_INVALID',
        errors: [expect.objectContaining({ path, message: expect.stringMatching(message) })],
      }),
    )
  })

  it('lists every problem', () => {
    expect(() => parseListQuery({ limit: 'x', nope: '1', status: '2' })).toThrow(
      expect.objectContaining({ errors: expect.objectContaining({ length: 3 }) }),
    )
  })
})
