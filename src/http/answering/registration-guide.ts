import { z } from 'zod'
import { registrationSchema } from '../../records/service/service.ts'
import type { StorageNote } from './storage-note.ts'

/** A registration that can be sent unchanged. */
export const registrationExample = {
  serviceName: 'cart',
  version: '1.4.0',
  endpoint: 'http://cart.internal:7070',
  description: 'Keeps what customers are about to buy.',
  tags: ['shop', 'public'],
  metadata: { team: 'checkout' },
  dependencies: ['product-catalog', { serviceName: 'currency', version: '^2', type: 'grpc' }],
}

/** The answer to `GET /register`. */
export function registrationGuide(storage: StorageNote, notice: string | undefined): Record<string, unknown> {
  const { properties, required } = z.toJSONSchema(registrationSchema, { io: 'input' })
  return {
    success: true,
    message: 'Send a registration as JSON with POST /register. You can send it again at any time.',
    required,
    fields: properties,
    example: registrationExample,
    try: `curl -X POST http://HOST:PORT/register -H 'content-type: application/json' -d '${JSON.stringify(registrationExample)}'`,
    afterwards: {
      'POST /register/:serviceId/migration': 'sends the migration file, if the registration had none',
      'PUT /services/:serviceId/heartbeat': 'renews the lease of a service that has ttlSeconds',
      'GET /services/:serviceId': 'shows the service',
      'DELETE /services/:serviceId': 'deregisters it',
    },
    reference: '/docs',
    storage,
    ...(notice === undefined ? {} : { notice }),
  }
}
