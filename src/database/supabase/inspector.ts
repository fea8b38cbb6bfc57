import { describeKey } from '../../config/supabase.ts'
import { examineThroughDoor } from '../migrations/examine-through-door.ts'
import { inspectThroughDoor } from '../sql-functions/door-inspection.ts'
import type { Examination, ExaminationCursor, Inspection, Inspector } from '../store.ts'
import type { ApiDoor } from './api-door.ts'
import type { SupabaseSettings } from './options.ts'

/** Facts about the project, the key's role and the schema, for people. Of the key nothing but its kind. */
export class SupabaseInspector implements Inspector {
  readonly #door: ApiDoor
  readonly #settings: SupabaseSettings

  constructor(door: ApiDoor, settings: SupabaseSettings) {
    this.#door = door
    this.#settings = settings
  }

  inspect(): Promise<Inspection> {
    const { target, schema } = this.#settings
    const { protocol, host } = new URL(target.url)
    return inspectThroughDoor(this.#door, () => ({
      url: target.url,
      host,
      encrypted: protocol === 'https:',
      schemaName: schema,
      key: describeKey(target),
      keyVariable: target.keyVariable,
    }))
  }

  examine(from?: ExaminationCursor): Promise<Examination> {
    return examineThroughDoor(this.#door, this.#settings.schema, from)
  }
}
