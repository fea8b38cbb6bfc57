import type { RecordsAtOnce } from '../../../src/archive/archiver/archive-source.ts'
import type { BasePoint } from '../../../src/archive/format/archive-format.ts'
import { SnapshotFolder } from '../../../src/archive/snapshot/snapshot-folder.ts'
import {
  type SnapshotSource,
  SnapshotWriter,
  type SnapshotWriterOptions,
} from '../../../src/archive/snapshot/snapshot-writer.ts'
import type { AccessState } from '../../../src/database/access-store.ts'
import { canonicalJson } from '../../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../../src/records/record.ts'
import { newLineage, SAMPLE_START } from '../../support/archive-samples.ts'

/** The name of a database, as `snapshotNameOf` would make it. */
export const DATABASE: string = 'd'.repeat(64)

/** What a coordinator would serve, under the control of a test. */
export class ServedRecords implements SnapshotSource {
  readonly #lineage = newLineage()
  readonly #records: StoredRecord[] = []
  #revision = 0
  confirmedAt = SAMPLE_START
  tokens: AccessState = { version: '1', requiredSince: null, tokens: [] }
  /** How often all records were asked for. */
  snapshots = 0

  /** Adds records; each takes about 300 bytes. */
  add(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#revision += 1
      const id = `service-${this.#revision}`
      const data = canonicalJson({ name: id, text: `${this.#revision}`.repeat(250).slice(0, 250) })
      const at = { createdAt: SAMPLE_START, updatedAt: SAMPLE_START }
      this.#records.push({ kind: 'service', id, data, revision: this.#revision, ...at })
    }
  }

  get revision(): number {
    return this.#revision
  }

  served(): BasePoint {
    const revision = this.#revision
    const digest = revision === 0 ? this.#lineage.lineage : String(revision).padStart(64, '0')
    return { ...this.#lineage, revision, digest, at: SAMPLE_START }
  }

  snapshot(): RecordsAtOnce {
    this.snapshots += 1
    return { point: this.served(), records: [...this.#records] }
  }

  confirmed(): { confirmedAt: number; floor: number } {
    return { confirmedAt: this.confirmedAt, floor: 0 }
  }

  /** A writer of snapshots of these records. */
  writer(
    path: string,
    more: Pick<Partial<SnapshotWriterOptions>, 'intervalMs' | 'share' | 'observer'> = {},
  ): SnapshotWriter {
    return new SnapshotWriter({
      source: this,
      access: { load: async () => this.tokens },
      folder: new SnapshotFolder(path, DATABASE),
      database: DATABASE,
      ...more,
    })
  }
}
