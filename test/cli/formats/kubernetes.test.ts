import { describe, expect, it } from 'vitest'
import { document, endpointOf, env, manifest, service, workload } from './manifests.ts'
import { type Made, read, servicesIn, unreadableIn } from './read.ts'

describe('kubernetes: services and workloads', () => {
  it('makes one registration of a Service and the workload that it selects', () => {
    const text = manifest(
      service('cart', { ports: [{ port: 7070, name: 'grpc' }] }, 'shop'),
      workload('cart', {
        namespace: 'shop',
        image: 'registry.example/cart:1.4.2',
        labels: { 'app.kubernetes.io/part-of': 'shop', 'app.kubernetes.io/component': 'backend' },
      }),
    )
    expect(read(text)).toMatchObject({ format: 'kubernetes', unreadable: [] })
    expect(servicesIn(text)).toEqual({
      cart: {
        serviceName: 'cart',
        instanceId: 'deployment/cart',
        version: '1.4.2',
        endpoint: 'grpc://cart.shop.svc:7070',
        healthCheck: 'tcp://cart.shop.svc:7070',
        namespace: 'shop',
        metadata: {
          app: 'cart',
          'app.kubernetes.io/part-of': 'shop',
          'app.kubernetes.io/component': 'backend',
          image: 'registry.example/cart:1.4.2',
          kind: 'Deployment',
        },
        tags: ['shop', 'backend'],
        dependencies: [],
      },
    })
  })

  it('makes one registration for each workload behind a Service, under the name that others call', () => {
    const { services } = read(
      manifest(
        service('reviews', { selector: { app: 'reviews' } }),
        workload('reviews-v1', { labels: { app: 'reviews', version: 'v1' } }),
        workload('reviews-v2', { labels: { app: 'reviews', version: 'v2' } }),
      ),
    )
    expect(
      (services as unknown as Made[]).map(({ serviceName, instanceId, version }) => [
        serviceName,
        instanceId,
        version,
      ]),
    ).toEqual([
      ['reviews', 'deployment/reviews-v1', 'v1'],
      ['reviews', 'deployment/reviews-v2', 'v2'],
    ])
  })

  it('takes Services for the same pods as names of one service, and the one for clients in the cluster as its name', () => {
    const text = manifest(
      service('frontend-external', { type: 'LoadBalancer', selector: { app: 'frontend' } }),
      service('frontend-pods', { clusterIP: 'None', selector: { app: 'frontend' } }),
      service('frontend'),
      workload('frontend'),
      workload('load', {
        container: env({ TARGET_URL: 'http://frontend-external', PODS: 'frontend-pods:80' }),
      }),
    )
    expect(Object.keys(servicesIn(text))).toEqual(['frontend', 'load'])
    expect(servicesIn(text)['frontend']?.metadata['otherNames']).toEqual([
      'frontend-pods',
      'frontend-external',
    ])
    expect(servicesIn(text)['load']?.dependencies).toEqual([{ serviceName: 'frontend', type: 'http' }])
  })

  it('reads every kind that runs pods', () => {
    const pod = { template: { spec: { containers: [{ image: 'a:1' }] } } }
    const text = manifest(
      ...['StatefulSet', 'DaemonSet', 'Job', 'Rollout'].map((kind) => workload(kind.toLowerCase(), { kind })),
      document('CronJob', 'nightly', undefined, { jobTemplate: { spec: pod } }),
      document('Pod', 'alone', undefined, { containers: [{ image: 'alone:2' }] }),
    )
    expect(Object.values(servicesIn(text)).map(({ instanceId, endpoint }) => [instanceId, endpoint])).toEqual(
      [
        ['statefulset/statefulset', 'tcp://statefulset'],
        ['daemonset/daemonset', 'tcp://daemonset'],
        ['job/job', 'tcp://job'],
        ['rollout/rollout', 'tcp://rollout'],
        ['cronjob/nightly', 'tcp://nightly'],
        ['pod/alone', 'tcp://alone'],
      ],
    )
  })

  it('takes the version from a label, else from the image of the main container', () => {
    const versionOf = (labels: Record<string, string>, image: string, more = {}) =>
      servicesIn(workload('a', { labels, image, ...more }))['a']?.version
    expect(versionOf({ 'app.kubernetes.io/version': '2.1', version: 'v2' }, 'a:1.0')).toBe('2.1')
    expect(versionOf({ version: 'v2' }, 'a:1.0')).toBe('v2')
    expect(versionOf({}, 'a:1.0')).toBe('1.0')
    expect(versionOf({}, `a@sha256:${'b'.repeat(64)}`)).toBe(`sha256:${'b'.repeat(64)}`)
    expect(versionOf({}, 'a')).toBe('latest')
    const containers = [
      { name: 'sidecar', image: 'sidecar:9' },
      { name: 'main', image: 'main:3' },
    ]
    const annotations = { 'kubectl.kubernetes.io/default-container': 'main' }
    const pod = { metadata: { annotations }, spec: { containers } }
    expect(servicesIn(document('Deployment', 'b', undefined, { template: pod }))['b']?.version).toBe('3')
  })

  it('registers a Service alone, and says that its workload is missing', () => {
    const text = manifest(
      service('cart'),
      document('Service', 'pay', undefined, {
        type: 'ExternalName',
        externalName: 'pay.example.com',
        ports: [{ port: 443 }],
      }),
    )
    expect(servicesIn(text)).toMatchObject({
      cart: {
        instanceId: 'service/cart',
        version: 'unversioned',
        endpoint: 'http://cart:80',
        dependencies: [],
      },
      pay: { endpoint: 'https://pay.example.com:443' },
    })
    expect(unreadableIn(text)).toEqual([
      'line 2: Service cart: nothing in this file has the labels that it selects: its version and dependencies are not known',
    ])
  })

  it('keeps equal names of two namespaces apart', () => {
    const text = manifest(
      service('web', {}, 'one'),
      workload('web', { namespace: 'one', image: 'web:1' }),
      service('web', {}, 'two'),
      workload('web', { namespace: 'two', image: 'web:2' }),
    )
    const { services } = read(text)
    expect(
      (services as unknown as Made[]).map(({ namespace, version, endpoint }) => [
        namespace,
        version,
        endpoint,
      ]),
    ).toEqual([
      ['one', '1', 'http://web.one.svc:80'],
      ['two', '2', 'http://web.two.svc:80'],
    ])
  })

  it('leaves out what another object of the file makes', () => {
    const owned = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'cart-7f9', ownerReferences: [{ kind: 'ReplicaSet', name: 'cart-7f' }] },
      spec: { containers: [{ image: 'cart:1' }] },
    }
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'cart-7f', ownerReferences: [{ kind: 'Deployment', name: 'cart' }] },
      spec: { template: { spec: { containers: [{ image: 'cart:1' }] } } },
    }
    const deployment = JSON.parse(workload('cart'))
    const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    expect(Object.keys(servicesIn(list(deployment, set, owned)))).toEqual(['cart'])
    expect(Object.keys(servicesIn(list(owned)))).toEqual(['cart-7f9'])
  })
})

describe('kubernetes: the endpoint of a service', () => {
  it('takes the scheme from appProtocol, else from the name of the port', () => {
    expect(endpointOf({ ports: [{ port: 81, appProtocol: 'grpc', name: 'http' }] })).toBe('grpc://cart:81')
    expect(endpointOf({ ports: [{ port: 81, appProtocol: 'kubernetes.io/h2c' }] })).toBe('grpc://cart:81')
    expect(endpointOf({ ports: [{ port: 81, name: 'grpc-api' }] })).toBe('grpc://cart:81')
    expect(endpointOf({ ports: [{ port: 81, name: 'https' }] })).toBe('https://cart:81')
    expect(endpointOf({ ports: [{ port: 81, targetPort: 'redis' }] })).toBe('redis://cart:81')
    expect(endpointOf({ ports: [{ port: 6379, name: 'tcp-redis' }] })).toBe('redis://cart:6379')
    expect(endpointOf({ ports: [{ port: 81, protocol: 'UDP' }] })).toBe('udp://cart:81')
    expect(endpointOf({ ports: [{ port: 81 }] })).toBe('http://cart:81')
    expect(endpointOf({ ports: [{ port: 53, protocol: 'UDP' }, { port: 81 }] })).toBe('http://cart:81')
    expect(endpointOf({ ports: [] })).toBe('tcp://cart')
  })

  it('looks at the port and the image behind the Service', () => {
    expect(endpointOf({ ports: [{ port: 80, targetPort: 5432 }] })).toBe('postgres://cart:80')
    const named = { ports: [{ name: 'db', containerPort: 27017 }] }
    expect(endpointOf({ ports: [{ port: 1, targetPort: 'db' }] }, { container: named })).toBe(
      'mongodb://cart:1',
    )
    const rabbit = {
      ports: [
        { port: 15672, name: 'http' },
        { port: 5672, name: 'main' },
      ],
    }
    expect(endpointOf(rabbit, { image: 'rabbitmq:3' })).toBe('amqp://cart:5672')
    const probe = { readinessProbe: { grpc: { port: 7070 } } }
    expect(endpointOf({ ports: [{ port: 7070 }] }, { container: probe })).toBe('grpc://cart:7070')
  })

  it('looks at how others call it, if nothing else tells', () => {
    const text = manifest(
      service('store', { ports: [{ port: 10260 }] }),
      workload('store'),
      workload('web', { container: env({ URI: 'mongodb://user:secret@store:10260/?tls=true' }) }),
    )
    expect(servicesIn(text)['store']?.endpoint).toBe('mongodb://store:10260')
  })

  it('checks health as the probes do', () => {
    const healthOf = (container: object, spec: object) =>
      servicesIn(manifest(service('cart', spec), workload('cart', { container })))['cart']?.healthCheck
    const probe = (port: number | string, path?: string) => ({ readinessProbe: { httpGet: { port, path } } })
    expect(healthOf(probe(8080, '/ready'), { ports: [{ port: 80, targetPort: 8080 }] })).toBe('/ready')
    expect(healthOf(probe(9090, 'ready'), { ports: [{ port: 80, targetPort: 8080 }] })).toBe(
      'http://cart:9090/ready',
    )
    expect(healthOf(probe(8080, '/ready'), { ports: [{ port: 7070, name: 'grpc' }] })).toBe(
      'http://cart:8080/ready',
    )
    expect(healthOf({}, { ports: [{ port: 80 }] })).toBeUndefined()
    const named = {
      ports: [{ name: 'web', containerPort: 8080 }],
      livenessProbe: { httpGet: { port: 'web' } },
    }
    expect(healthOf(named, { ports: [{ port: 80, targetPort: 'web' }] })).toBe('/')
  })
})

describe('kubernetes: what a service needs', () => {
  const needs = (container: object, options = {}, ...more: string[]) =>
    servicesIn(
      manifest(
        service('cart', {}, 'shop'),
        workload('cart', { namespace: 'shop' }),
        service('cart', {}, 'other'),
        workload('cart', { namespace: 'other' }),
        service('db', { clusterIP: 'None' }, 'shop'),
        workload('db', { kind: 'StatefulSet', namespace: 'shop' }),
        workload('web', { namespace: 'shop', container }),
        ...more,
      ),
      options,
    )['web']?.dependencies

  it('knows a service by each of its names in the cluster', () => {
    const found = (host: string) => needs(env({ ADDRESS: `${host}:7070` }))
    expect(found('cart')).toEqual(['cart'])
    expect(found('cart.shop')).toEqual(['cart'])
    expect(found('cart.shop.svc')).toEqual(['cart'])
    expect(found('cart.shop.svc.cluster.local')).toEqual(['cart'])
    expect(found('CART.shop.svc.cluster.local.')).toEqual(['cart'])
    expect(found('db-0.db')).toEqual(['db'])
    expect(found('db-0.db.shop.svc.cluster.local')).toEqual(['db'])
    expect(found('cart.other')).toEqual([{ serviceName: 'cart', namespace: 'other' }])
    expect(found('cart.other.svc')).toEqual([{ serviceName: 'cart', namespace: 'other' }])
    expect(found('prom.monitoring.svc')).toEqual([{ serviceName: 'prom', namespace: 'monitoring' }])
  })

  it('takes no other host for a service', () => {
    for (const host of ['cart.example', 'cart.example.com', 'example.com', 'db.example.cart', 'x.db', 'web'])
      expect(needs(env({ ADDRESS: `${host}:7070` }))).toEqual([])
  })

  it('reads variables that build on others, arguments, and containers that prepare the pod', () => {
    const container = {
      ...env({ NAME: 'cart', URL: 'http://$(NAME):7070/$(UNKNOWN)' }),
      args: ['--db', 'db:5432'],
    }
    expect(needs(container)).toEqual([{ serviceName: 'cart', type: 'http' }, 'db'])
  })

  it('reads ConfigMaps of the file, and never Secrets', () => {
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'api', namespace: 'shop' },
      data: { CART_ADDR: 'cart:80', db: 'postgres://db:5432' },
    }
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'api', namespace: 'shop' },
      stringData: { CART_ADDR: 'cart:80' },
    }
    const [map, hidden] = [JSON.stringify(config), JSON.stringify(secret)]
    expect(needs({ envFrom: [{ configMapRef: { name: 'api' } }] }, {}, map)).toEqual([
      'cart',
      { serviceName: 'db', type: 'postgres' },
    ])
    const one = { env: [{ name: 'DB', valueFrom: { configMapKeyRef: { name: 'api', key: 'db' } } }] }
    expect(needs(one, {}, map)).toEqual([{ serviceName: 'db', type: 'postgres' }])
    expect(needs({ envFrom: [{ secretRef: { name: 'api' } }] }, {}, hidden)).toEqual([])
  })

  it('moves all namespaces of the file if another one is wanted', () => {
    const container = env({ A: 'cart.shop.svc:80', B: 'prom.monitoring.svc:9090' })
    expect(needs(container, { namespace: 'test' })).toEqual([
      'cart',
      { serviceName: 'prom', namespace: 'monitoring' },
    ])
  })
})

describe('kubernetes: what kubectl takes', () => {
  it('takes the last of two workloads with the same name, and says so', () => {
    const text = manifest(
      workload('cart', { image: 'cart:1.0' }),
      workload('web'),
      workload('cart', { image: 'cart:1.1' }),
    )
    const { services, unreadable } = read(text)
    expect(services.map(({ serviceName, version }) => [serviceName, version])).toEqual([
      ['web', '1.0'],
      ['cart', '1.1'],
    ])
    expect(unreadable).toEqual([
      {
        where: 'line 6: Deployment cart',
        why: 'the file has it more than once: the last one counts',
        isDetail: true,
      },
    ])
  })

  it('reads quoted texts whose last line is not indented', () => {
    const text = [
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata:',
      '  name: cart',
      '  annotations:',
      "    containers: '[",
      '      {"name": "wait"}',
      "    ]'",
      '    other: "a',
      'b"',
      'spec:',
      '  template:',
      '    spec:',
      '      containers:',
      '      - image: cart:1.0',
      '',
    ].join('\n')
    expect(unreadableIn(text)).toEqual([])
    expect(servicesIn(text)['cart']?.version).toBe('1.0')
  })

  it('says where a quoted text without an end begins', () => {
    const text = `${manifest(workload('cart'))}---\nkind: 'Service\nmetadata: {}\n---\nkind: Namespace\n`
    expect(unreadableIn(text)).toEqual([expect.stringMatching(/^line 4: it is not YAML at line \d: /)])
    expect(Object.keys(servicesIn(text))).toEqual(['cart'])
  })

  it('takes the name of a Service in a cluster for one, whatever the setting is called', () => {
    const text = manifest(
      workload('cart', {
        container: env({
          ZIPKIN: 'zipkin.jaeger.svc.cluster.local',
          FIRST: 'db-0.db.data.svc',
          FILE: 'a.b.svg, cart.conf',
        }),
      }),
    )
    expect(servicesIn(text)['cart']?.dependencies).toEqual([
      { serviceName: 'zipkin', namespace: 'jaeger' },
      { serviceName: 'db', namespace: 'data' },
    ])
  })
})
