import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Made, read } from './read.ts'

interface Example {
  readonly serviceName: string
  readonly version: string
  readonly endpoint: string
  readonly dependencies: readonly (string | { readonly serviceName: string })[]
}

const example = (name: string) =>
  JSON.parse(readFileSync(`examples/data/${name}`, 'utf8')) as readonly Example[]
const text = (name: string) => readFileSync(`examples/data/${name}`, 'utf8')

/** Every dependency as `consumer needs provider`. */
function needsIn(services: readonly Pick<Made, 'serviceName' | 'dependencies'>[]): readonly string[] {
  const nameOf = (dependency: unknown) =>
    typeof dependency === 'string' ? dependency : (dependency as Example).serviceName
  return services
    .flatMap(({ serviceName, dependencies }) =>
      dependencies.map((dependency) => `${serviceName} needs ${nameOf(dependency)}`),
    )
    .sort()
}

const versionsIn = (services: readonly Pick<Made, 'serviceName' | 'version'>[]) =>
  Object.fromEntries(services.map(({ serviceName, version }) => [serviceName, version]))

describe('examples in other formats', () => {
  for (const [file, json, namespace] of [
    ['opentelemetry-demo.compose.yaml', 'opentelemetry-demo.json', 'opentelemetry-demo'],
    ['online-boutique.kubernetes.yaml', 'online-boutique.json', 'online-boutique'],
  ] as const)
    it(`${file} describes the services, versions and dependencies of ${json}`, () => {
      const { services, unreadable } = read(text(file))
      const [made, wanted] = [services as unknown as readonly Made[], example(json)]
      expect(unreadable).toEqual([])
      expect(versionsIn(made)).toEqual(versionsIn(wanted))
      expect(needsIn(made)).toEqual(needsIn(wanted))
      expect(new Set(made.map((service) => service.namespace))).toEqual(new Set([namespace]))
      const ports = (list: readonly { readonly endpoint: string }[]) =>
        list.map(({ endpoint }) => endpoint.replace(/^.*:/, ''))
      expect(ports(made)).toEqual(ports(wanted))
    })

  it('online-boutique.catalog-info.yaml asserts the services and dependencies of online-boutique.json', () => {
    const { nodes, edges, unreadable } = read(text('online-boutique.catalog-info.yaml'))
    const wanted = example('online-boutique.json')
    expect(unreadable).toEqual([])
    const services = nodes.flatMap(({ id }) => (id.startsWith('service:') ? id.slice('service:'.length) : []))
    expect(services).toEqual(wanted.map(({ serviceName }) => serviceName))
    const needs = edges.flatMap(({ id }) => {
      const [, from, to] = /^service:(.+),depends_on,service:(.+),asserted$/.exec(id) ?? []
      return from === undefined ? [] : `${from} needs ${to}`
    })
    expect(needs.sort()).toEqual(needsIn(wanted))
    expect(edges.map(({ id }) => id)).toContain('group:shop-team,owns,service:cartservice,asserted')
    expect(edges.map(({ id }) => id)).toContain(
      'system:online-boutique,has_part,service:cartservice,asserted',
    )
  })
})
