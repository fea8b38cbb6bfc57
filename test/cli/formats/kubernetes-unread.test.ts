import { describe, expect, it } from 'vitest'
import { env, manifest, service, workload } from './manifests.ts'
import { read, servicesIn, unreadableIn } from './read.ts'

describe('kubernetes: what is not read', () => {
  const helm = `{{- if .Values.cart.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "shop.name" . }}-cart
spec:
  template:
    spec:
      containers:
        - image: "{{ .Values.image }}:{{ .Values.tag }}"
{{- end }}
`
  const template =
    'it is a template with {{ }}, not yet filled in: render it first, with `helm template` or the program that it is for'

  it('says that a template of Helm must be rendered first, and reads nothing of it', () => {
    for (const text of [helm, `# cart\n${helm}`]) {
      expect(read(text)).toMatchObject({ format: 'kubernetes', services: [] })
      expect(unreadableIn(text)).toEqual([expect.stringMatching(/^line \d: it is a template with \{\{ \}\}/)])
    }
    const quoted = workload('{{ .Release.Name }}-cart')
    expect(unreadableIn(quoted)).toEqual([`the file: Deployment {{ .Release.Name }}-cart: ${template}`])
    const image = workload('cart', { image: `cart:${'$'}{TAG}` })
    expect(unreadableIn(manifest(image, service('web')))[0]).toBe(`line 2: Deployment cart: ${template}`)
  })

  it('reads the other documents of the file', () => {
    const text = `${manifest(service('cart'), workload('cart'))}---\n${helm}${manifest(workload('web'))}`
    expect(Object.keys(servicesIn(text))).toEqual(['cart', 'web'])
    expect(unreadableIn(text)).toHaveLength(1)
  })

  it('leaves texts alone that the program in the container fills in', () => {
    const text = manifest(
      workload('cart', { container: { ...env({ FORMAT: '{{.Name}}' }), args: ['--format={{json .}}'] } }),
    )
    expect(Object.keys(servicesIn(text))).toEqual(['cart'])
    expect(unreadableIn(text)).toEqual([
      'line 2: Deployment cart, FORMAT: its text is a template with {{ }}',
      'line 2: Deployment cart, --format: its text is a template with {{ }}',
    ])
  })

  it('lists the kinds that may hold services, and no others', () => {
    const text = manifest(
      workload('cart'),
      ...['VirtualService', 'VirtualService', 'Ingress', 'ServiceAccount', 'Namespace', 'Secret'].map(
        (kind) => JSON.stringify({ apiVersion: 'x/v1', kind, metadata: { name: 'x' }, spec: {} }),
      ),
    )
    expect(unreadableIn(text)).toEqual([
      '2 of kind VirtualService: not read, although this kind may name services and dependencies',
      '1 of kind Ingress: not read, although this kind may name services and dependencies',
    ])
  })

  it('lists documents that are not objects, or have no name', () => {
    const text = manifest(workload('cart'), 'text', '- 1', 'kind: Service', '# only a comment', '{a: [')
    expect(unreadableIn(text)).toEqual([
      'line 4: it is not an object with a kind',
      'line 6: it is not an object with a kind',
      'line 8: Service: it has no name',
      expect.stringMatching(/^line 12: it is not YAML at line 1\d: /),
    ])
  })
})
