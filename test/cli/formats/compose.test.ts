import { describe, expect, it } from 'vitest'
import { servicesIn, unreadableIn } from './read.ts'

/** A compose file with these services. */
const compose = (services: string) => `services:\n${services.replaceAll(/^/gm, '  ')}`

const endpointsIn = (text: string) =>
  Object.fromEntries(
    Object.values(servicesIn(text)).map(({ serviceName, endpoint }) => [serviceName, endpoint]),
  )

const needsIn = (text: string, options = {}) =>
  Object.fromEntries(
    Object.values(servicesIn(text, options)).map(({ serviceName, dependencies }) => [
      serviceName,
      dependencies,
    ]),
  )

describe('compose: the name and version of a service', () => {
  it('takes the tag of the image, else its digest, else latest', () => {
    const services = servicesIn(
      compose(`
        tagged: {image: "registry.example:5000/shop/cart:1.4.2-alpine"}
        both: {image: "shop/cart:1.4@sha256:${'a'.repeat(64)}"}
        pinned: {image: "shop/cart@sha256:${'a'.repeat(64)}"}
        plain: {image: "registry.example:5000/shop/cart"}
      `),
    )
    expect(Object.values(services).map(({ version }) => version)).toEqual([
      '1.4.2-alpine',
      '1.4',
      `sha256:${'a'.repeat(64)}`,
      'latest',
    ])
    expect(services['both']?.metadata['image']).toBe(`shop/cart:1.4@sha256:${'a'.repeat(64)}`)
  })

  it('says unversioned where only the folder of a build is known', () => {
    expect(servicesIn(compose('web: {build: ./web}'))['web']).toMatchObject({ version: 'unversioned' })
  })

  it('gives each service the same id when its version changes', () => {
    expect(servicesIn(compose('web: {image: "web:1"}'))['web']).toMatchObject({ instanceId: 'web' })
  })

  it('keeps ports, names, labels and profiles', () => {
    const [web] = Object.values(
      servicesIn(
        compose(`
          web:
            image: web:1
            container_name: shop-web
            hostname: www
            ports: ["127.0.0.1:8080:80", {target: 443, published: "8443"}]
            labels: {com.example.team: shop, constructor: x, __proto__: y}
            profiles: [full, debug]
        `),
      ),
    )
    expect(web).toMatchObject({
      metadata: {
        ...{
          image: 'web:1',
          containerName: 'shop-web',
          hostname: 'www',
          ports: ['127.0.0.1:8080:80', '8443:443'],
        },
        ...{ 'com.example.team': 'shop', constructor: 'x' },
      },
      tags: ['full', 'debug'],
    })
    expect(unreadableIn(compose('web: {image: "web:1", labels: {__proto__: y}}'))).toEqual([
      'services.web.labels: metadata can have no member __proto__',
    ])
  })

  it('brings no label and no health check with a secret, and says which labels', () => {
    const text = compose(`
      web:
        image: web:1
        labels:
          a: x
          traefik.http.middlewares.auth.basicauth.users: "admin:$$apr1$$hidden"
          DB_PASSWORD: hidden
          url: "postgres://me:hidden@db/x"
          plain: "http://me@host/x"
        healthcheck: {test: "curl http://localhost/up?access_token=hidden"}
      api: {image: "api:1", healthcheck: {test: "curl http://localhost/up?full=1"}}
    `)
    const { web, api } = servicesIn(text)
    expect(web?.metadata).toMatchObject({ a: 'x', plain: 'http://me@host/x' })
    expect(JSON.stringify(web)).not.toContain('hidden')
    expect(JSON.stringify(api)).toContain('/up?full=1')
    expect(unreadableIn(text)).toEqual([
      'services.web.labels: everybody could read them, and they seem to be secrets: traefik.http.middlewares.auth.basicauth.users, DB_PASSWORD, url left out',
    ])
  })

  it('leaves out labels for which metadata has no room, and says which', () => {
    const text = compose(
      `web: {image: "web:1", labels: {small: x, large: "${'y'.repeat(17_000)}", after: z}}`,
    )
    expect(servicesIn(text)['web']?.metadata).toEqual({ image: 'web:1', small: 'x' })
    expect(unreadableIn(text)).toEqual(['services.web.labels: only 15360 bytes fit: large, after left out'])
  })
})

describe('compose: the endpoint of a service', () => {
  it('knows what well-known images speak, and their ports', () => {
    expect(
      endpointsIn(
        compose(`
          cache: {image: "valkey/valkey:8"}
          db: {image: "postgres:15"}
          shop: {image: "mariadb"}
          docs: {image: "docker.io/library/mongo:6"}
          queue: {image: "rabbitmq:3-management", ports: ["15672:15672"]}
          log: {image: "confluentinc/cp-kafka:7.6.13"}
          memo: {image: "memcached"}
        `),
      ),
    ).toEqual({
      cache: 'redis://cache:6379',
      db: 'postgres://db:5432',
      shop: 'mysql://shop:3306',
      docs: 'mongodb://docs:27017',
      queue: 'amqp://queue:5672',
      log: 'tcp://log:9092',
      memo: 'memcached://memo:11211',
    })
  })

  it('follows a database to a port of its own', () => {
    expect(endpointsIn(compose('db: {image: postgres, ports: ["5433:5433"]}'))).toEqual({
      db: 'postgres://db:5433',
    })
  })

  it('takes the port of the container, not the published one', () => {
    expect(
      endpointsIn(
        compose(`
          short: {image: a, ports: ["127.0.0.1:8080:3000/tcp"]}
          range: {image: a, ports: ["3000-3005:4000-4005"]}
          inner: {image: a, expose: ["7070", "9090"]}
          long: {image: a, ports: [{target: 8443, published: 443, app_protocol: https}]}
          number: {image: a, ports: [9000]}
          datagrams: {image: a, ports: ["5353:53/udp"]}
          mixed: {image: a, ports: ["53:53/udp", "8080:80"]}
        `),
      ),
    ).toEqual({
      short: 'http://short:3000',
      range: 'http://range:4000',
      inner: 'http://inner:7070',
      long: 'https://long:8443',
      number: 'http://number:9000',
      datagrams: 'udp://datagrams:53',
      mixed: 'http://mixed:80',
    })
  })

  it('knows what usual ports speak', () => {
    expect(endpointsIn(compose('a: {image: own, expose: [5432]}\nb: {image: own, expose: [50051]}'))).toEqual(
      { a: 'postgres://a:5432', b: 'grpc://b:50051' },
    )
  })

  it('does not take DNS, SSH and SQL Server for HTTP', () => {
    const text =
      'dns: {image: pihole/pihole, ports: ["53:53/tcp", "53:53/udp", "80:80"]}\ngit: {image: own, expose: [22]}\ndb: {image: azure-sql-edge, ports: ["1433:1433"]}'
    expect(Object.values(endpointsIn(compose(text)))).toEqual([
      'tcp://dns:53',
      'tcp://git:22',
      'tcp://db:1433',
    ])
  })

  it('learns a port from those who call it, and from the check of its health', () => {
    const text = compose(`
      web: {image: web, environment: {API: "http://api:1218/x", BROKER: "broker:50051", STORE: "mongodb://u:p@store:10260/?tls=true"}}
      api: {image: api}
      broker: {image: broker}
      store: {image: store}
      stats: {image: stats, healthcheck: {test: curl -f http://localhost:8123/ping}}
    `)
    expect(endpointsIn(text)).toMatchObject({
      api: 'http://api:1218',
      broker: 'grpc://broker:50051',
      store: 'mongodb://store:10260',
      stats: 'http://stats:8123',
    })
  })

  it('is only the name where no port is known', () => {
    expect(endpointsIn(compose('worker: {image: worker}'))).toEqual({ worker: 'tcp://worker' })
  })

  it('checks health as the file says, else by a connection', () => {
    const services = servicesIn(
      compose(`
        own: {image: a, expose: [3000], healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:3000/ready"]}}
        named: {image: a, expose: [3000], healthcheck: {test: "wget -q http://named:9340/healthz || exit 1"}}
        file: {image: a, expose: [3000], healthcheck: {test: /healthchecks/redis.sh}}
        off: {image: a, expose: [3000], healthcheck: {disable: true, test: "curl http://localhost/x"}}
        db: {image: postgres}
      `),
    )
    expect(Object.values(services).map(({ healthCheck }) => healthCheck)).toEqual([
      '/ready',
      'http://named:9340/healthz',
      undefined,
      undefined,
      'tcp://db:5432',
    ])
  })
})

describe('compose: what a service needs', () => {
  it('reads depends_on as a list and as a map', () => {
    expect(
      needsIn(
        compose(
          'a: {image: a, depends_on: [b, c]}\nb: {image: b, depends_on: {c: {condition: service_healthy}}}\nc: {image: c}',
        ),
      ),
    ).toEqual({ a: ['b', 'c'], b: ['c'], c: [] })
  })

  it('reads links, volumes_from and a shared network', () => {
    const text = compose(`
      web: {image: web, links: ["db:database", cache], environment: {DB: "postgres://database:5432/x"}}
      tools: {image: tools, network_mode: "service:vpn", volumes_from: ["web:ro", "container:other"]}
      db: {image: own}
      cache: {image: own}
      vpn: {image: vpn}
    `)
    expect(needsIn(text)).toMatchObject({
      web: [{ serviceName: 'db', type: 'postgres' }, 'cache'],
      tools: ['web', 'vpn'],
    })
  })

  it('finds addresses of other services in the environment', () => {
    const text = compose(`
      web:
        image: web
        environment:
          - SNUBA=http://snuba:1218
          - BUCKET=s3://profiles?region=x&endpoint=seaweed:8333&tls=false
          - BROKERS=kafka:9092,localhost:9093
          - JDBC_URL=jdbc:postgresql://user:secret@db:5432/shop
          - REDIS_HOST=redis
      snuba: {image: snuba}
      seaweed: {image: seaweed}
      kafka: {image: kafka}
      db: {image: postgres}
      redis: {image: redis}
    `)
    expect(needsIn(text)['web']).toEqual([
      { serviceName: 'snuba', type: 'http' },
      'seaweed',
      'kafka',
      { serviceName: 'db', type: 'postgres' },
      'redis',
    ])
  })

  it('finds addresses in the arguments of a command', () => {
    const text = compose(`
      a: {image: a, command: "run --rpc-host=broker:50051 --count 3"}
      b: {image: b, command: ["-d", "60", "-h", "proxy"]}
      c: {image: c, entrypoint: [sh, -c, "wait-for http://proxy/ready && run"]}
      broker: {image: broker}
      proxy: {image: proxy}
    `)
    expect(needsIn(text)).toMatchObject({
      a: ['broker'],
      b: ['proxy'],
      c: [{ serviceName: 'proxy', type: 'http' }],
    })
  })

  it('knows a service by its other names', () => {
    const text = compose(`
      a: {image: a, environment: {ONE: "tcp://shop-db:1", TWO: "http://www", THREE: "http://Static.Shop:80"}}
      db: {image: own, container_name: shop-db}
      web: {image: own, hostname: www}
      cdn: {image: own, networks: {front: {aliases: [static.shop]}, back: null}}
    `)
    expect(needsIn(text)['a']).toEqual([
      { serviceName: 'db', type: 'tcp' },
      { serviceName: 'web', type: 'http' },
      { serviceName: 'cdn', type: 'http' },
    ])
  })

  it('takes no name for an address that is not one', () => {
    const text = compose(`
      app:
        image: app
        environment:
          POSTGRES_USER: postgres
          POSTGRES_DB: postgres
          NEXT_BACKEND_PROVIDER: postgres
          BASE_IMAGE: "redis:7"
          KAFKA_VERSION: "kafka:3"
          TEXT: my redis and kafka
          SITE_URL: https://github.com/org/redis
          APP_HOST: app
          SELF: http://app:80/
      postgres: {image: postgres}
      redis: {image: redis}
      kafka: {image: kafka}
    `)
    expect(needsIn(text)['app']).toEqual([])
  })

  it('keeps a service that is in another file', () => {
    expect(needsIn(compose('a: {image: a, depends_on: [elsewhere]}'))).toEqual({ a: ['elsewhere'] })
  })
})
