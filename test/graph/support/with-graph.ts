import { randomUUID } from 'node:crypto'
import type { Store } from '../../../src/database/store.ts'
import { graphProjection } from '../../../src/graph/derive/graph-projection.ts'
import { KnowledgeGraph, type KnowledgeGraphOptions } from '../../../src/graph/knowledge-graph.ts'
import type { Live } from '../../../src/live/live.ts'
import { canonicalJson } from '../../../src/records/canonical-json.ts'
import type { StoredRecord, Write } from '../../../src/records/record.ts'
import { Registry } from '../../../src/registry/registry.ts'
import { wholeDomain } from '../../support/whole-domain.ts'
import { withLive } from '../../support/with-live.ts'
import { writtenBy } from '../../support/written-by.ts'

export interface GraphScope {
  readonly live: Live
  readonly registry: Registry
  readonly graph: KnowledgeGraph
  register(serviceName: string, fields?: object): Promise<string>
  /** Commits writes as they are. */
  commit(...writes: Write[]): Promise<void>
}

/** Runs a test with a knowledge graph over a live layer, and ends its threads afterwards. */
export async function withGraph(
  body: (scope: GraphScope) => Promise<void>,
  { inner, ...options }: KnowledgeGraphOptions & { readonly inner?: Store } = {},
): Promise<void> {
  await withLive(
    async ({ live }) => {
      const graph = new KnowledgeGraph(live, options)
      const registry = new Registry(live)
      try {
        await body({
          live,
          graph,
          registry,
          register: async (serviceName, fields = {}) => {
            const registration = {
              serviceName,
              version: '1.0.0',
              endpoint: 'http://host:80',
              ...fields,
            }
            return (await registry.register(registration, writtenBy('test'))).serviceId
          },
          commit: async (...writes) => {
            await live.commit({ commitId: randomUUID(), actor: 'test', writes })
          },
        })
      } finally {
        await graph.close()
      }
    },
    {
      domain: wholeDomain,
      options: { commitTimeoutMs: 10_000, revisionTimeoutMs: 5_000, stallTimeoutMs: 10_000 },
      ...(inner === undefined ? {} : { inner }),
    },
  )
}

export const projectionOf = (live: Live) => live.view.projection(graphProjection)

export function recordsOf(live: Live): readonly StoredRecord[] {
  return ['service', 'node', 'edge'].flatMap((kind) => [...live.view.records.of(kind)])
}

export const put = (kind: string, id: string, data: object): Write => ({
  op: 'put',
  kind,
  id,
  data: canonicalJson(data),
})
