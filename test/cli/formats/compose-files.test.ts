import { describe, expect, it } from 'vitest'
import { read, servicesIn, unreadableIn } from './read.ts'

/** A compose file with these services. */
const compose = (services: string) => `services:\n${services.replaceAll(/^/gm, '  ')}`

describe('compose: the rest of the file', () => {
  it('takes the namespace from the name of the project', () => {
    const named = `name: My_Shop.v2\n${compose('a: {image: a}')}`
    expect(servicesIn(named)['a']?.namespace).toBe('my-shop-v2')
    expect(servicesIn(named, { namespace: 'own' })['a']?.namespace).toBe('own')
    expect(servicesIn(named, { variables: { COMPOSE_PROJECT_NAME: 'other' } })['a']?.namespace).toBe('other')
    expect(servicesIn(named, { namespace: 'default' })['a']).not.toHaveProperty('namespace')
    expect(servicesIn(compose('a: {image: a}'))['a']).not.toHaveProperty('namespace')
  })

  it('fills in variables, and their defaults', () => {
    const text = compose(`
      web:
        image: "\${REGISTRY:-docker.io}/web:\${TAG:-\${OTHER:-1.2}}"
        ports: ["\${PORT:-8080}:\${INNER:-80}"]
        environment: [API_HOST, "DB_URL=postgres://\${DB_HOST:-db}/x", "PRICE=$$5"]
      db: {image: own}
      api: {image: own}
    `)
    expect(servicesIn(text)['web']).toMatchObject({
      version: '1.2',
      endpoint: 'http://web:80',
      dependencies: [{ serviceName: 'db', type: 'postgres' }],
    })
    const variables = { TAG: '2.0', INNER: '81', DB_HOST: 'elsewhere.example', API_HOST: 'api' }
    expect(servicesIn(text, { variables })['web']).toMatchObject({
      version: '2.0',
      endpoint: 'http://web:81',
      dependencies: ['api'],
    })
    expect(unreadableIn(text)).toEqual([])
  })

  it('says which variables it lacks, where they matter', () => {
    const text = compose(`
      a: {image: "$A_IMAGE", environment: {PASSWORD: "\${PASSWORD}", DB_HOST: "\${DB_HOST}"}}
      b: {image: "shop/b:\${TAG}", environment: {DB_HOST: "\${DB_HOST}"}}
      c: {image: "\${REGISTRY}/c:1.0"}
    `)
    expect(Object.values(servicesIn(text)).map(({ version }) => version)).toEqual([
      'unversioned',
      'unversioned',
      '1.0',
    ])
    expect(unreadableIn(text)).toEqual([
      'services.a.environment.DB_HOST, services.b.environment.DB_HOST: the variable DB_HOST has no value and no default',
      'services.a.image: the variable A_IMAGE has no value and no default',
      'services.b.image: the variable TAG has no value and no default',
      'services.c.image: the variable REGISTRY has no value and no default',
    ])
  })

  it('takes over what a service extends', () => {
    const text = compose(`
      base: {image: "base:1", environment: {DB_HOST: db, LEVEL: info}, expose: [80], depends_on: [db]}
      middle: {extends: base, environment: ["LEVEL=debug", "CACHE_HOST=cache"]}
      web: {extends: {service: middle}, image: "web:2", expose: [81]}
      db: {image: own}
      cache: {image: own}
    `)
    expect(servicesIn(text)['web']).toMatchObject({
      version: '2',
      endpoint: 'http://web:80',
      dependencies: ['db', 'cache'],
    })
  })

  it('says what it does not read', () => {
    const text = `include: [other.yml, {path: [a.yml, b.yml]}]\n${compose(`
      a: {image: a, env_file: .env.shop, external_links: [old_db_1]}
      b: {image: b, env_file: [{path: .env.shop}, more.env]}
      c: {extends: {file: common.yml, service: c}}
      d: {extends: nothing}
      e: {extends: f}
      f: {extends: e}
      g: text
    `)}`
    expect(Object.keys(servicesIn(text))).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(unreadableIn(text)).toEqual([
      'include: other files are not read: import other.yml as well',
      'include: other files are not read: import a.yml, b.yml as well',
      'services.a.external_links: old_db_1 is a container outside of this file',
      'env_file .env.shop: it is not read: addresses in it add no dependencies to a, b',
      'env_file more.env: it is not read: addresses in it add no dependencies to b',
      'services.c.extends: the file common.yml is not read: what the service takes over from there is missing',
      'services.d.extends: it names no other service of this file',
      'services.e.extends: it names no other service of this file',
      'services.f.extends: it names no other service of this file',
      'services.g: it is not a map',
    ])
  })

  it('reads anchors and merge keys, also an anchor that is used a hundred times', () => {
    const many = Array.from(
      { length: 300 },
      (_, at) => `w${at}: {<<: [*restart, *worker], command: run ${at}}`,
    )
    const text = `x-restart: &restart {restart: always}\nx-healthy: &healthy {condition: service_healthy}
x-worker: &worker {image: "worker:1", depends_on: {db: {<<: *healthy}, cache: {<<: *healthy, required: false}}}
${compose(['db: {image: own}', 'cache: {image: own}', ...many].join('\n'))}`
    const { services, unreadable } = read(text)
    expect(services).toHaveLength(302)
    expect(services.at(-1)).toMatchObject({ version: '1', dependencies: ['db', 'cache'] })
    expect(unreadable).toEqual([])
  })

  it('reads what `docker compose config --format json` prints', () => {
    const services = {
      web: { image: 'web:1', ports: [{ target: 80, published: '8080' }], depends_on: { db: {} } },
      db: { image: 'postgres:15' },
    }
    expect(servicesIn(JSON.stringify({ name: 'shop', services }))).toMatchObject({
      web: { namespace: 'shop', endpoint: 'http://web:80', dependencies: ['db'] },
      db: { endpoint: 'postgres://db:5432' },
    })
  })
})
