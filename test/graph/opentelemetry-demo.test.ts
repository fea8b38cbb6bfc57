import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { edgeListOf } from '../../src/graph/analysis/csr.ts'
import { GraphAnalysis } from '../../src/graph/analysis/graph-analysis.ts'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import { cycles } from '../../src/graph/questions/cycles.ts'
import { unresolved } from '../../src/graph/questions/list-nodes.ts'
import { paths } from '../../src/graph/questions/paths.ts'
import { impact } from '../../src/graph/questions/reach.ts'
import { canonicalJson, type JsonObject } from '../../src/records/canonical-json.ts'
import { atOnce } from '../../src/scheduling/pace.ts'

const services = JSON.parse(readFileSync('examples/data/opentelemetry-demo.json', 'utf8')) as (JsonObject & {
  serviceName: string
})[]

const detached = new DetachedGraph()
const { graph } = detached
services.forEach((data, at) => {
  const revision = at + 1
  const time = { revision, createdAt: 0, updatedAt: 0 }
  detached.put({ kind: 'service', id: data.serviceName, data: canonicalJson(data), ...time })
})
const at = (name: string) => graph.find(`service:${name}`)
const names = (ids: readonly string[]) => ids.map((id) => id.replace('service:', ''))

describe('the OpenTelemetry demo', () => {
  it('has a node for each of its 28 services, and every dependency is registered', () => {
    expect(graph.nodeCount).toBe(28)
    expect(graph.edges.count).toBe(services.flatMap(({ dependencies }) => dependencies).length)
    expect(unresolved(graph)).toEqual({ nodes: [], total: 0, complete: true })
  })

  it('impact of flagd: those that ask it for flags, and all that need them, which is nearly everything', () => {
    const answer = impact(graph, at('flagd'))
    // These thirteen name flagd among their own dependencies.
    expect(names(answer.nodes.filter(({ distance }) => distance === 1).map(({ id }) => id))).toEqual([
      'ad',
      'cart',
      'checkout',
      'email',
      'flagd-ui',
      'fraud-detection',
      'frontend',
      'frontend-proxy',
      'load-generator',
      'payment',
      'product-catalog',
      'recommendation',
      'shipping',
    ])
    // The proxy forwards telemetry for browsers, so the collector needs frontend-proxy: what the proxy cannot do without,
    // the collector cannot either.
    expect(names(answer.nodes.filter(({ distance }) => distance === 2).map(({ id }) => id))).toEqual([
      'otel-collector',
    ])
    const collector = answer.nodes.find(({ id }) => id === 'service:otel-collector')
    expect(collector?.via).toEqual(['service:frontend-proxy'])
    // And everything that sends telemetry needs the collector.
    expect(names(answer.nodes.filter(({ distance }) => distance === 3).map(({ id }) => id))).toEqual([
      'accounting',
      'currency',
      'image-provider',
      'jaeger',
      'kafka',
      'quote',
      'telemetry-docs',
    ])
    expect(Math.max(...answer.nodes.map(({ distance }) => distance))).toBe(3)
    // What is left needs nobody: the stores and the tools that are only read.
    const hit = new Set(['flagd', ...names(answer.nodes.map(({ id }) => id))])
    expect(services.map(({ serviceName }) => serviceName).filter((name) => !hit.has(name))).toEqual([
      'astronomy-db',
      'grafana',
      'opamp-server',
      'opensearch',
      'prometheus',
      'valkey-cart',
    ])
  })

  it('paths from load-generator to astronomy-db: the shortest goes through the collector', () => {
    const answer = paths(graph, at('load-generator'), at('astronomy-db'), { limit: 5 })
    // Only product-catalog and the collector talk to the database; load-generator sends telemetry itself.
    expect(answer.paths.slice(0, 5).map(({ nodes }) => names(nodes))).toEqual([
      ['load-generator', 'otel-collector', 'astronomy-db'],
      ['load-generator', 'flagd', 'otel-collector', 'astronomy-db'],
      ['load-generator', 'frontend', 'otel-collector', 'astronomy-db'],
      ['load-generator', 'frontend', 'product-catalog', 'astronomy-db'],
      ['load-generator', 'frontend-proxy', 'otel-collector', 'astronomy-db'],
    ])
    expect(answer).toMatchObject({ complete: false, truncated: 'limit' })
    const all = paths(graph, at('load-generator'), at('astronomy-db'), { limit: 10_000 })
    expect(all.complete).toBe(true)
    expect(all.paths.every(({ nodes }) => new Set(nodes).size === nodes.length)).toBe(true)
  })

  it('cycles: one large one, held together by the collector', () => {
    const answer = atOnce(cycles(graph, new GraphAnalysis(edgeListOf(graph)).components()))
    expect(answer.total).toBe(1)
    // In it is what sends telemetry to the collector and is needed by frontend-proxy, which the collector needs.
    // Outside: services that send telemetry but that nobody in the loop needs (accounting, fraud-detection,
    // load-generator) and those that need nothing at all (stores, grafana, opamp-server, prometheus).
    expect(names(answer.cycles[0]?.nodes ?? [])).toEqual([
      'ad',
      'cart',
      'checkout',
      'currency',
      'email',
      'flagd',
      'flagd-ui',
      'frontend',
      'frontend-proxy',
      'image-provider',
      'jaeger',
      'otel-collector',
      'payment',
      'product-catalog',
      'quote',
      'recommendation',
      'shipping',
      'telemetry-docs',
    ])
    // The first of them sends telemetry to the collector, which needs the proxy, and so on, back to the first.
    expect(names(answer.cycles[0]?.example ?? [])).toEqual([
      'ad',
      'otel-collector',
      'frontend-proxy',
      'frontend',
    ])
    expect(answer.complete).toBe(true)
  })
})
