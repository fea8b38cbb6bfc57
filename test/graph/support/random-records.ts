import fc from 'fast-check'
import { canonicalJson } from '../../../src/records/canonical-json.ts'
import { edgeId } from '../../../src/records/graph/graph-id.ts'
import type { StoredRecord } from '../../../src/records/record.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f,:%g', '日本']
const nodeIds = [
  ...['service:a', 'service:b', 'service:x', 'team:t', 'event:e', 'table:t', 'capability:k'],
  ...['service:@shop:a', 'service:@blog:x', 'capability:@shop:k'],
]
const name = fc.constantFrom(...names)
const namespace = fc.constantFrom('shop', 'blog')
/** The namespace of something that a service needs. */
const elsewhere = fc.constantFrom('shop', 'blog', 'default')

const migrationFile = fc.record(
  {
    apis: fc.array(fc.constantFrom('GET /a', 'POST /a', '/b'), { maxLength: 2 }),
    calls: fc.array(
      fc.record(
        { service: name, method: fc.constant('GET'), path: fc.constant('/a'), namespace: elsewhere },
        { requiredKeys: ['service', 'method', 'path'] },
      ),
      { maxLength: 2 },
    ),
    tables: fc.array(
      fc.oneof(
        fc.constantFrom('t', 'u'),
        fc.record(
          {
            name: fc.constantFrom('t', 'u'),
            access: fc.constantFrom('owns', 'reads', 'writes'),
            namespace: elsewhere,
          },
          { requiredKeys: ['name', 'access'] },
        ),
      ),
      { maxLength: 2 },
    ),
    events: fc.record({
      publishes: fc.array(fc.constantFrom('e', 'f'), { maxLength: 2 }),
      subscribes: fc.array(fc.constantFrom('e', 'g'), { maxLength: 2 }),
    }),
    requires: fc.array(
      fc.oneof(
        fc.constantFrom('k', 'l'),
        fc.record({ name: fc.constantFrom('k', 'l'), namespace: elsewhere }),
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)

const service = fc.record({
  kind: fc.constant('service' as const),
  instance: fc.integer({ min: 1, max: 10 }),
  data: fc.record(
    {
      serviceName: name,
      namespace,
      version: fc.constantFrom('1.0.0', '2.0.0'),
      endpoint: fc.constant('http://x'),
      dependencies: fc.array(
        fc.oneof(
          name,
          fc.record(
            { serviceName: name, version: fc.constantFrom('^1', '>=2'), namespace: elsewhere },
            { requiredKeys: ['serviceName', 'version'] },
          ),
        ),
        { maxLength: 4 },
      ),
      capabilities: fc.array(fc.constantFrom('k', 'm'), { maxLength: 2 }),
      migrationFile,
    },
    { requiredKeys: ['serviceName', 'version', 'endpoint'] },
  ),
})

const node = fc.record({ kind: fc.constant('node' as const), id: fc.constantFrom(...nodeIds) })

const edge = fc.record({
  kind: fc.constant('edge' as const),
  source: fc.constantFrom(...nodeIds),
  type: fc.constantFrom('uses', 'owns', 'depends_on'),
  target: fc.constantFrom(...nodeIds),
  origin: fc.constantFrom('asserted' as const, 'observed' as const),
})

/** What a random history does, one commit after the other. */
export const operations = (maxLength: number) =>
  fc.array(fc.record({ remove: fc.boolean(), of: fc.oneof({ weight: 3, arbitrary: service }, node, edge) }), {
    maxLength,
  })

export type Operation = { readonly remove: boolean; readonly of: RandomRecord }
type RandomRecord =
  | { kind: 'service'; instance: number; data: object }
  | { kind: 'node'; id: string }
  | { kind: 'edge'; source: string; type: string; target: string; origin: 'asserted' | 'observed' }

/** The record that an operation is about, as a commit would write it. */
export function recordOf(of: RandomRecord, revision: number): StoredRecord {
  const time = { revision, createdAt: revision, updatedAt: revision }
  if (of.kind === 'service')
    return { kind: 'service', id: `s-${of.instance}`, data: canonicalJson(of.data), ...time }
  if (of.kind === 'node') return { kind: 'node', id: of.id, data: canonicalJson({ id: of.id }), ...time }
  const { source, type, target, origin } = of
  return {
    kind: 'edge',
    id: edgeId({ source, type, target, origin }),
    data: canonicalJson({ source, type, target, origin }),
    ...time,
  }
}
