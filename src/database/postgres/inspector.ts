import type { Inspection, Inspector } from '../store.ts'
import type { PostgresSettings } from './options.ts'
import type { PostgresDoor } from './postgres-door.ts'

/** Facts about the server, the role and the schema, for people. */
export class PostgresInspector implements Inspector {
  readonly #door: PostgresDoor
  readonly #settings: PostgresSettings

  constructor(door: PostgresDoor, settings: PostgresSettings) {
    this.#door = door
    this.#settings = settings
  }

  async inspect(): Promise<Inspection> {
    const sentAt = Date.now()
    const started = performance.now()
    const facts = (await this.#door.call('inspect', '{}')) as Readonly<Record<string, unknown>>
    const roundTripMs = performance.now() - started
    const { serverVersion, schema, nowMs, headHolder, ...more } = facts
    const details: Record<string, string | number | boolean> = {
      host: this.#door.primary ?? '',
      schemaName: this.#settings.schema,
      tls: this.#settings.target.tls.mode,
      roundTripMs: Math.round(roundTripMs * 10) / 10,
      clockSkewMs: Math.round(Number(nowMs) - (sentAt + roundTripMs / 2)),
      pooled: await this.#door.use('reader', async ({ facts: { pooled } }) => pooled),
    }
    for (const [name, value] of Object.entries(more))
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        details[name] = value
    if (typeof headHolder === 'object' && headHolder !== null)
      details['headHolder'] = JSON.stringify(headHolder)
    delete details['status']
    return { serverVersion: String(serverVersion), schemaVersion: Number(schema), details }
  }
}
