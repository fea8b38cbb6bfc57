import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/records/canonical-json.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, someone, withRegistry } from './with-registry.ts'

type Service = JsonObject & { readonly serviceId: string; readonly serviceName: string }

const parsed = (items: readonly string[]) => items.map((item) => JSON.parse(item) as Service)

async function streamed(stream: AsyncIterable<string>): Promise<Service[]> {
  let text = ''
  for await (const chunk of stream) {
    expect(chunk.endsWith('\n')).toBe(true)
    text += chunk
  }
  return parsed(text.split('\n').slice(0, -1))
}

describe('a stream of all services', () => {
  it('shows one revision, though services change while it is read', () =>
    withRegistry(async ({ registry, live }) => {
      const services = Array.from({ length: 1_000 }, (_, index) => ({
        ...cart,
        serviceName: `s${String(index).padStart(4, '0')}`,
        description: 'x'.repeat(500),
      }))
      const { results } = await registry.registerBatch(services, someone)
      const stream = registry.listAll(parseListQuery({}))
      const chunks: string[] = []
      for await (const chunk of stream) {
        chunks.push(chunk)
        await registry.registerBatch(
          services.map((service) => ({ ...service, description: `changed ${chunks.length}` })),
          someone,
        )
        const last = results[results.length - chunks.length]
        if (last !== undefined && 'serviceId' in last) await registry.deregister(last.serviceId, someone)
      }
      expect(chunks.length).toBeGreaterThan(3)
      expect(live.view.revision).toBeGreaterThan(3_000)
      const lines = parsed(chunks.join('').split('\n').slice(0, -1))
      expect(lines).toHaveLength(stream.total)
      expect(stream.revision).toBe(1_000)
      expect(lines.every(({ description }) => description === 'x'.repeat(500))).toBe(true)
    }))

  it('of nothing is empty', () =>
    withRegistry(async ({ registry }) => {
      expect(await streamed(registry.listAll(parseListQuery({})))).toEqual([])
    }))
})
