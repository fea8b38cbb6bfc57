import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Coordinator, createCoordinator } from '../../src/coordinator.ts'
import { registration } from '../../src/records/service/service.ts'

// The whole change is one more field in the table.
vi.mock(import('../../src/records/service/registration-fields.ts'), async (importOriginal) => {
  const original = await importOriginal()
  const { optional } = await import('../../src/records/service/field-set.ts')
  const { text } = await import('../../src/records/service/field-kinds.ts')
  const owner = optional(text(20), 'Who answers for it.')
  return { ...original, registrationFields: { ...original.registrationFields, owner } }
})

let coordinator: Coordinator | undefined
afterEach(() => coordinator?.stop(0))

async function get(path: string): Promise<unknown> {
  return (await fetch(`${coordinator?.url}${path}`)).json()
}

async function post(path: string, body: unknown) {
  const answer = await fetch(`${coordinator?.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const cart = { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:7070' }

describe('a field that is added to the table of fields alone', () => {
  it.each(['the fast check', 'the schema'])(
    'is stored, answered and documented, as read by %s',
    async (way) => {
      // Only the schema reads nested metadata.
      const fields = way === 'the schema' ? { metadata: { deep: { er: 1 } } } : {}
      const sent = { ...cart, ...fields, owner: 'payments' }
      expect(registration.isPlain(sent)).toBe(way === 'the fast check')
      coordinator = await createCoordinator({ port: 0 })
      await coordinator.start()

      const registered = await post('/register', sent)
      expect(registered).toMatchObject({ status: 201, body: { warnings: [] } })
      const { serviceId } = registered.body
      expect(await get(`/services/${serviceId}`)).toMatchObject({ service: { owner: 'payments' } })
      expect(await get('/services?fields=owner')).toMatchObject({ services: [{ owner: 'payments' }] })
      expect(await get(`/services/${serviceId}/history`)).toMatchObject({
        entries: [
          { changes: expect.arrayContaining([{ field: 'owner', change: 'added', after: 'payments' }]) },
        ],
      })
      const stored = coordinator.live.view.get('service', String(serviceId))
      expect(JSON.parse(stored?.data ?? '')).toMatchObject({ owner: 'payments' })

      expect(await post('/register', { ...sent, owner: 'x'.repeat(21) })).toMatchObject({
        status: 400,
        body: { errors: [{ path: '/owner', code: 'COORD_FIELD_TOO_LARGE' }] },
      })
      expect(await get('/register')).toMatchObject({
        fields: { owner: { type: 'string', maxLength: 20, description: 'Who answers for it.' } },
      })
      const openapi = JSON.stringify(await get('/openapi.json'))
      expect(openapi.split('Who answers for it.').length).toBeGreaterThan(2)
    },
  )
})
