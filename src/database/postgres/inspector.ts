import { examineThroughDoor } from '../migrations/examine-through-door.ts'
import { inspectThroughDoor } from '../sql-functions/door-inspection.ts'
import type { Examination, ExaminationCursor, Inspection, Inspector } from '../store.ts'
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

  inspect(): Promise<Inspection> {
    return inspectThroughDoor(this.#door, async () => ({
      host: this.#door.primary ?? '',
      schemaName: this.#settings.schema,
      tls: this.#settings.target.tls.mode,
      pooled: await this.#door.use('follower', async ({ facts: { pooled } }) => pooled),
    }))
  }

  examine(from?: ExaminationCursor): Promise<Examination> {
    return examineThroughDoor(this.#door, this.#settings.schema, from)
  }
}
