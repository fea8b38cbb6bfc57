import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deriveService } from '../../src/graph/derive/derive.ts'
import type { JsonObject } from '../../src/records/canonical-json.ts'
import { registrationSchema } from '../../src/records/service/service.ts'

const schema = JSON.parse(readFileSync('docs/migration-file.schema.json', 'utf8'))
const fileSchema = z.fromJSONSchema(schema)

function relationsOf(migrationFile: JsonObject): readonly string[] {
  const found: string[] = []
  deriveService({ serviceName: 'cart', migrationFile }, (type, target) => found.push(`${type} ${target}`))
  return found.sort()
}

describe('the schema of a migration file', () => {
  it('has no member that the description of the field does not name', () => {
    const { description } = registrationSchema.shape.migrationFile.unwrap()
    for (const member of Object.keys(schema.properties)) expect(description).toContain(`\`${member}\``)
    expect(description).toContain('docs/migration-file.schema.json')
  })

  it('takes its own example, and the graph understands all of it', () => {
    const [example] = schema.examples
    expect(fileSchema.safeParse(example).success).toBe(true)
    expect(relationsOf(example)).toEqual([
      'calls api:product-catalog:GET:%2Fproducts%2F%3Aid',
      'exposes api:cart:GET:%2Fcart%2F%3Aid',
      'exposes api:cart:POST:%2Fcart',
      'owns table:carts',
      'provides capability:shopping-cart',
      'publishes event:cart.changed',
      'reads table:products',
      'requires capability:@billing:payments',
      'requires capability:feature-flags',
      'subscribes event:product.removed',
    ])
  })

  it('names every member that the graph reads, and no other', () => {
    for (const member of Object.keys(schema.properties)) {
      const probes: JsonObject[] = [
        { [member]: ['x'] },
        { [member]: [{ service: 'a', path: '/p', name: 'x', serviceName: 's' }] },
      ]
      expect(probes.flatMap(relationsOf).length, member).toBeGreaterThan(0)
    }
  })

  it.each([
    { apis: 'GET /' },
    { apis: [7, null, {}, ''] },
    { tables: [{ database: 'x' }] },
    { events: 'x' },
    { calls: ['x', { service: 'a' }, { path: '/' }] },
    { capabilities: { a: 1 }, requires: [[]] },
    { dependencies: [{}, 3, ''] },
    { unknown: { deep: true } },
  ])('what does not follow it says nothing, and breaks nothing: %j', (file) => {
    expect(relationsOf(file as unknown as JsonObject)).toEqual([])
  })
})
