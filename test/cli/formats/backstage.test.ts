import { describe, expect, it } from 'vitest'
import { read, unreadableIn } from './read.ts'

const entity = (kind: string, metadata: object, spec: object = {}) =>
  JSON.stringify({ apiVersion: 'backstage.io/v1alpha1', kind, metadata, spec })

const catalog = (...entities: readonly string[]) => entities.map((each) => `---\n${each}\n`).join('')

const nodesIn = (text: string, options = {}) => read(text, options).nodes.map(({ id }) => id)
const edgesIn = (text: string, options = {}) => read(text, options).edges.map(({ id }) => id)

describe('backstage: entities', () => {
  it('asserts a node for each entity, and that of the service for a component', () => {
    const text = catalog(
      entity(
        'Component',
        {
          name: 'artist-web',
          title: 'Artists',
          description: 'The place to be',
          tags: ['java'],
          labels: { tier: '1' },
          annotations: { 'github.com/project-slug': 'shop/web' },
          links: [{ url: 'https://example.com/board', title: 'Board' }],
        },
        { type: 'website', lifecycle: 'production' },
      ),
      entity('API', { name: 'artist-api' }, { type: 'openapi', definition: 'openapi: "3.0.0"' }),
      entity('Group', { name: 'team-a' }, { type: 'team', profile: { displayName: 'Team A' } }),
    )
    expect(read(text)).toEqual({
      format: 'backstage',
      services: [],
      nodes: [
        {
          id: 'service:artist-web',
          body: {
            label: 'Artists',
            properties: {
              ...{
                kind: 'Component',
                type: 'website',
                lifecycle: 'production',
                description: 'The place to be',
              },
              ...{ tags: ['java'], links: ['https://example.com/board'] },
              ...{ tier: '1', 'github.com/project-slug': 'shop/web' },
            },
          },
        },
        { id: 'api:artist-api', body: { label: 'artist-api', properties: { kind: 'API', type: 'openapi' } } },
        { id: 'group:team-a', body: { label: 'Team A', properties: { kind: 'Group', type: 'team' } } },
      ],
      edges: [],
      unreadable: [],
    })
  })

  it('makes an edge of each relation, from what needs to what is needed', () => {
    const text = catalog(
      entity(
        'Component',
        { name: 'web' },
        {
          owner: 'team-a',
          system: 'shop',
          subcomponentOf: 'portal',
          dependsOn: ['component:cart', 'resource:orders-db'],
          dependencyOf: ['component:app'],
          providesApis: ['web-api'],
          consumesApis: ['cart-api'],
        },
      ),
      entity('Resource', { name: 'orders-db' }, { owner: 'user:alice', dependencyOf: ['component:cart'] }),
      entity('System', { name: 'shop' }, { domain: 'sales' }),
      entity('Domain', { name: 'sales' }, { subdomainOf: 'company' }),
      entity('Group', { name: 'team-a' }, { parent: 'dept', children: ['team-b'], members: ['bob'] }),
      entity('User', { name: 'alice' }, { memberOf: ['team-a'] }),
    )
    expect(edgesIn(text)).toEqual(
      [
        'service:web,depends_on,service:cart',
        'service:web,depends_on,resource:orders-db',
        'service:app,depends_on,service:web',
        'service:web,exposes,api:web-api',
        'service:web,consumes,api:cart-api',
        'group:team-a,owns,service:web',
        'system:shop,has_part,service:web',
        'service:portal,has_part,service:web',
        'service:cart,depends_on,resource:orders-db',
        'user:alice,owns,resource:orders-db',
        'domain:sales,has_part,system:shop',
        'domain:company,has_part,domain:sales',
        'group:dept,has_part,group:team-a',
        'group:team-a,has_part,group:team-b',
        'group:team-a,has_member,user:bob',
        'group:team-a,has_member,user:alice',
      ].map((id) => `${id},asserted`),
    )
  })

  it('leaves entities of other files as they are: what their own file says about them must stay', () => {
    const text = catalog(
      entity('Component', { name: 'web' }, { owner: 'team-a', dependsOn: ['component:cart'] }),
    )
    expect(nodesIn(text)).toEqual(['service:web'])
    expect(edgesIn(text)).toContain('group:team-a,owns,service:web,asserted')
  })
})

describe('backstage: references', () => {
  it('reads kind, namespace and name, in texts and in maps', () => {
    const dependsOn = [
      'component:cart',
      'Component:other/cart',
      { kind: 'resource', namespace: 'infra', name: 'db' },
    ]
    expect(edgesIn(catalog(entity('Component', { name: 'web', namespace: 'Shop' }, { dependsOn })))).toEqual([
      'service:@shop:web,depends_on,service:@shop:cart,asserted',
      'service:@shop:web,depends_on,service:@other:cart,asserted',
      'service:@shop:web,depends_on,resource:@infra:db,asserted',
    ])
  })

  it('takes the namespace of the entity, and `default` for an entity without one', () => {
    const text = catalog(
      entity('Component', { name: 'web' }, { owner: 'backstage/maintainers', system: 'shop' }),
    )
    expect(edgesIn(text)).toEqual([
      'group:@backstage:maintainers,owns,service:web,asserted',
      'system:shop,has_part,service:web,asserted',
    ])
  })

  it('moves everything to another namespace if that is wanted', () => {
    const text = catalog(
      entity('Component', { name: 'web', namespace: 'shop' }, { dependsOn: ['component:x/cart'] }),
    )
    expect(edgesIn(text, { namespace: 'test' })).toEqual([
      'service:@test:web,depends_on,service:@test:cart,asserted',
    ])
    expect(edgesIn(text, { namespace: 'default' })).toEqual(['service:web,depends_on,service:cart,asserted'])
  })

  it('ignores case, as Backstage does, and keeps the name of the entity', () => {
    const text = catalog(
      entity(
        'Component',
        { name: 'Web' },
        { dependsOn: ['component:CART'], consumesApis: ['API:Default/Cart-API'] },
      ),
      entity('Component', { name: 'cart' }),
      entity('API', { name: 'cart-api' }),
    )
    expect(edgesIn(text)).toEqual([
      'service:Web,depends_on,service:cart,asserted',
      'service:Web,consumes,api:cart-api,asserted',
    ])
  })

  it('lists a reference without the kind that Backstage wants, and texts that are none', () => {
    const text = catalog(
      entity('Component', { name: 'web' }, { dependsOn: ['cart', 'a:b:c'], consumesApis: ['a b', ['x']] }),
    )
    expect(edgesIn(text)).toEqual([])
    expect(unreadableIn(text)).toEqual([
      'line 2: Component web, dependsOn: cart is not a reference such as KIND:NAME',
      'line 2: Component web, dependsOn: a:b:c is not a reference such as KIND:NAME',
      'line 2: Component web, consumesApis: a b is not a reference such as NAME',
      'line 2: Component web, consumesApis: ["x"] is not a reference such as NAME',
    ])
  })
})

describe('backstage: files', () => {
  it('reads what the API of the catalog answers', () => {
    const items = [entity('Component', { name: 'web' }), entity('Component', { name: 'cart' })].map((text) =>
      JSON.parse(text),
    )
    expect(nodesIn(JSON.stringify(items))).toEqual(['service:web', 'service:cart'])
    expect(nodesIn(JSON.stringify({ items, totalItems: 2 }))).toEqual(['service:web', 'service:cart'])
  })

  it('says which other files a location names', () => {
    const text = catalog(
      entity('Component', { name: 'web' }),
      entity('Location', { name: 'all' }, { target: './a.yaml', targets: ['./b.yaml'] }),
    )
    expect(nodesIn(text)).toEqual(['service:web'])
    expect(unreadableIn(text)).toEqual([
      'line 4: Location all: other files are not read: import ./a.yaml, ./b.yaml as well',
    ])
  })

  it('lists what is not an entity, and texts that do not fit', () => {
    const text = catalog(
      entity('Component', { name: 'web', annotations: { large: 'x'.repeat(20_000) } }),
      entity('Component', {}),
      '{apiVersion: v1, kind: Service, metadata: {name: x}}',
      entity('{{ kind }}', { name: 'x' }),
    )
    expect(nodesIn(text)).toEqual(['service:web'])
    expect(unreadableIn(text)).toEqual([
      'line 4: it lacks a kind or a name',
      'line 6: it is not an entity of Backstage',
      'line 2: Component web: only 15360 bytes fit: large left out',
      'line 8: {{ kind }} x: its name makes no id of a node: {{ kind }}:x',
    ])
  })

  it('takes the first of two entities with the same name, and says so', () => {
    const text = catalog(
      entity('Component', { name: 'web' }, { owner: 'a' }),
      entity('Component', { name: 'Web' }, { owner: 'b' }),
    )
    expect(nodesIn(text)).toEqual(['service:web'])
    expect(read(text).edges.map(({ id }) => id)).toEqual(['group:a,owns,service:web,asserted'])
    expect(unreadableIn(text)).toEqual([
      'line 4: Component Web: the file has it more than once: the first one counts',
    ])
  })

  it('says so if two entities become one by the namespace of the import', () => {
    const text = catalog(
      entity('Component', { name: 'web' }),
      entity('Component', { name: 'web', namespace: 'shop' }),
    )
    expect(unreadableIn(text)).toEqual([])
    expect(unreadableIn(text, { namespace: 'all' })).toEqual([
      'line 4: Component web: the file has it more than once: the first one counts',
    ])
  })
})
