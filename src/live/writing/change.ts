import type { CoordinatorError } from '../../errors.ts'
import type { CanonicalJson, JsonObject } from '../../records/canonical-json.ts'
import type { Revision, StoredRecord } from '../../records/record.ts'
import type { Projection, ProjectionDefinition } from '../view/projection.ts'
import type { View } from '../view/view.ts'

export interface ChangeRequest {
  readonly commitId: string
  readonly actor: string
  readonly fingerprint?: string
}

/**
 * Everything that a plan can read of the stored state. Another coordinator may have changed that state since. The store therefore has to
 * expect everything that the plan reads here, so that a plan made from an old state is never stored.
 */
export interface PlanState {
  /** The record to change; `undefined` if it does not exist, or is not served. */
  read(): StoredRecord | undefined
  /**
   * What a projection has kept of the record, so that it need not be parsed: a value that depends on no other record. The plan then depends
   * on the record, as after `read`.
   *
   * @param tell gets the number of the record; see `Projection`
   * @returns `undefined` if the record does not exist, or is not served
   */
  derived<P extends Projection, T>(
    definition: ProjectionDefinition<P>,
    tell: (projection: P, number: number) => T,
  ): T | undefined
  /**
   * A value derived from all records. The store cannot expect all of them, so that the value is given only after the view has been
   * brought up to date within this change. Before that, a plan that needs it refuses, and is called again.
   */
  projection<P extends Projection>(definition: ProjectionDefinition<P>): P | undefined
}

/** The result of a change. If the request was sent before, it is the first result. */
export interface ChangeResult {
  /** Whether anything was stored. */
  readonly changed: boolean
  /** Whether the record did not exist before. */
  readonly created: boolean
  /** The commit that wrote the record; 0 if the record does not exist. */
  readonly revision: Revision
  /** Whether this is the first result of a request that was sent before. */
  readonly replayed: boolean
  /**
   * The data that the request stored when it was first sent. It may differ from the present plan. Absent for a new request, and if the
   * first one stored no data.
   */
  readonly replayedData?: CanonicalJson
}

/** The decision of a plan about its record. */
export type PlannedChange<T> = Planned & {
  /** Makes the answer from the result of the store. `view` contains the result; it may have another lineage than the view of the plan. */
  readonly answer: (result: ChangeResult, view: View) => T
}

type Planned =
  | {
      readonly op: 'put'
      readonly data: CanonicalJson
      /** The parsed `data`; see `Live.commit`. */
      readonly value?: JsonObject
    }
  | { readonly op: 'delete' }
  | {
      /** The change is refused. Thrown only if the store does not know the request, and the view is up to date. */
      readonly op: 'refuse'
      readonly why: (view: View) => CoordinatorError
    }

/** Plans a change of one record. It is called again if another change came first. */
export type Plan<T> = (state: PlanState) => PlannedChange<T>
