import { CoordinatorError } from '../../errors.ts'
import { nextDigest } from '../../records/digest.ts'
import type { Entry, Position, StoredRecord } from '../../records/record.ts'
import type { Destination } from '../destination/destination.ts'
import { readBasePart } from '../format/read-base.ts'
import { readLog } from '../format/read-log.ts'
import { StateDigest } from '../format/state-digest.ts'
import { readAhead } from './read-ahead.ts'
import { type Patience, withPatience } from './with-patience.ts'

export interface ArchiveReaderOptions {
  readonly destination: Destination
  /** age identities, for encrypted files. */
  readonly identities: readonly string[]
  readonly patience: Patience
  /** Called with the size of each file that was read, in bytes. @default nothing */
  readonly onRead?: (bytes: number) => void
}

/** Reads the files of a plan, and checks that each continues the one before it. */
export class ArchiveReader {
  readonly #options: ArchiveReaderOptions

  constructor(options: ArchiveReaderOptions) {
    this.#options = options
  }

  /**
   * The records of a base. The last list comes only if all of them together have the state digest that the base has recorded.
   *
   * @throws COORD_ARCHIVE_DAMAGED
   */
  async *records(base: PlannedBase): AsyncGenerator<readonly StoredRecord[]> {}
}
