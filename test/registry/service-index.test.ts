import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { View } from '../../src/live/view/view.ts'
import { canonicalJson, type JsonObject } from '../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../src/records/record.ts'
import { type ServiceIndex, serviceIndex } from '../../src/registry/index/service-index.ts'
import { LocalLeases } from '../../src/registry/leases/local-leases.ts'
import { listNamespaces } from '../../src/registry/list/list-namespaces.ts'
import { listServices } from '../../src/registry/list/list-services.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { wholeDomain } from '../support/whole-domain.ts'

const lineage = '00000000-0000-4000-8000-000000000000'
const names = ['cart', 'shop']
const endpoints = ['http://one', 'http://two']

const fields = {
  serviceName: fc.constantFrom(...names),
  version: fc.constantFrom('1.0.0', '1.2.0', 'main'),
  endpoint: fc.constantFrom(...endpoints),
  // Twice the same, and what is no text: a person may write that into the database.
  tags: fc.array(fc.constantFrom<unknown>('a', 'b', 'b', 'b', 'b', 7), { maxLength: 3 }),
  capabilities: fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }),
  metadata: fc.dictionary(fc.constantFrom('zone', '1'), fc.constantFrom(1, -0, true, 'x', 'x'.repeat(200)), {
    noNullPrototype: true,
  }),
  instanceId: fc.constantFrom('i'),
  ttlSeconds: fc.constantFrom(5),
  migrationFile: fc.constant({}),
  // A person may write `default` into the database, too.
  namespace: fc.constantFrom('default', 'shop', 'a'),
}
const service = fc.record(fields, {
  requiredKeys: ['serviceName', 'version', 'endpoint'],
  noNullPrototype: true,
})
const step = fc.record({
  // Other records take numbers that services had, and leave them.
  kind: fc.constantFrom('service', 'service', 'service', 'node'),
  id: fc.constantFrom('1', '2', '3', '4'),
  remove: fc.boolean(),
  data: service,
  known: fc.boolean(),
})

const queries = [
  {},
  { name: 'cart' },
  { tag: ['a', 'b'] },
  { capability: 'p' },
  { version: '^1.0.0' },
  { version: 'main', tag: 'b' },
  { status: 'active' },
  { namespace: 'default' },
  { namespace: 'shop', tag: 'b' },
  { namespace: 'nobody' },
  { 'metadata.zone': '0' },
  { 'metadata.1': 'x'.repeat(200) },
].map((parameters) => parseListQuery(parameters))

/** All that the index can be asked. */
function answersOf(view: View): unknown {
  const index = view.projection(serviceIndex)
  return {
    lists: queries.map((query) => listServices(view, { leases: new LocalLeases() }, query)),
    places: names.flatMap((name) => endpoints.map((endpoint) => idsAt(index, name, endpoint))),
    namespaces: listNamespaces(view).namespaces,
    figures: [index.size, index.activeCount, index.byVersion.size, index.digest, index.names.chunks.flat()],
  }
}

function idsAt(index: ServiceIndex, name: string, endpoint: string): readonly string[] {
  return Array.from(index.atEndpoint(name, endpoint), (number) => index.record(number).id).sort()
}

describe('the index of services', () => {
  it('answers after any history what one that is made anew from the records answers', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (history) => {
        const view = new View(wholeDomain, { lineage, revision: 0, digest: '' }, 0)
        const records = new Map<string, StoredRecord>()
        for (const [at, { kind, id, remove, data: fieldsOf, known }] of history.entries()) {
          const value = (kind === 'service' ? fieldsOf : { id: `team:${id}` }) as unknown as JsonObject
          const [revision, key, data] = [at + 1, `${kind} ${id}`, canonicalJson(value)]
          const entry = { revision, commitId: '', at: revision, actor: '', digest: '' }
          const write = remove
            ? ({ op: 'delete', kind, id } as const)
            : ({ op: 'put', kind, id, data } as const)
          // The program knows only what it has made, and that passes the check.
          const isOwn = known && wholeDomain.kinds[kind]?.(value) === undefined
          view.apply([{ ...entry, writes: [write] }], isOwn ? new Map([[revision, [value]]]) : undefined)
          const createdAt = records.get(key)?.createdAt ?? revision
          if (remove) records.delete(key)
          else records.set(key, { kind, id, data, revision, createdAt, updatedAt: revision })
        }
        const anew = new View(wholeDomain, view.position, view.at)
        anew.seed({ lineage, records: [...records.values()].reverse(), tombstones: [] })
        expect(answersOf(view)).toEqual(answersOf(anew))
        const served = [...view.records.of('service')]
        const index = view.projection(serviceIndex)
        expect(index.size).toBe(served.length)
        expect(index.activeCount).toBe(served.filter(({ data }) => data.includes('"migrationFile"')).length)
      }),
      { numRuns: 300 },
    )
  })
})
