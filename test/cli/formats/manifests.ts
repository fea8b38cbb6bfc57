import { servicesIn } from './read.ts'

export interface Workload {
  readonly kind?: string
  readonly namespace?: string
  readonly image?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly container?: object
}

/** A workload whose pods have the label `app`, as JSON, which is YAML, too. */
export function workload(
  name: string,
  { kind = 'Deployment', namespace, image, labels, container }: Workload = {},
) {
  return document(kind, name, namespace, {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, ...labels } },
      spec: { containers: [{ name: 'main', image: image ?? `${name}:1.0`, ...container }] },
    },
  })
}

export function service(name: string, spec: object = {}, namespace?: string) {
  return document('Service', name, namespace, { ports: [{ port: 80 }], selector: { app: name }, ...spec })
}

export function document(kind: string, name: string, namespace: string | undefined, rest: object) {
  const version = kind === 'Service' || kind === 'Pod' ? 'v1' : 'apps/v1'
  const metadata = { name, ...(namespace !== undefined && { namespace }) }
  return JSON.stringify({ apiVersion: version, kind, metadata, spec: rest })
}

export const manifest = (...documents: readonly string[]) =>
  documents.map((each) => `---\n${each}\n`).join('')

export const env = (variables: Readonly<Record<string, string>>) => ({
  env: Object.entries(variables).map(([name, value]) => ({ name, value })),
})

export const endpointOf = (spec: object, more: Workload = {}) =>
  servicesIn(manifest(service('cart', spec), workload('cart', more)))['cart']?.endpoint
