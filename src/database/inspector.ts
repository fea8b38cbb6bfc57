import type { ReplicaInspection } from './replicas.ts'

/** Facts about the database behind a store, for `GET /database` and `coordinator doctor`. */
export interface Inspection {
  readonly serverVersion: string
  readonly schemaVersion: number
  /** More facts for people: file, size, journal mode, host, role. Never a secret. */
  readonly details: Readonly<Record<string, string | number | boolean>>
}

/** A contradiction in the content of a store. */
export interface Damage {
  /** The contradiction, in one sentence. */
  readonly found: string
  /** SQL that repairs it, or the decision that a person has to make. */
  readonly repair: string
}

/** The point at which an examination continues. JSON that only the store understands. */
export type ExaminationCursor = Readonly<Record<string, unknown>>

/** A part of the answer to the question whether head, journal and records match. */
export interface Examination {
  readonly damages: readonly Damage[]
  /** Pass it for the next part; absent after the last one. */
  readonly next?: ExaminationCursor
}

/** What a primary says about the standbys that its commits wait for. */
export interface Replication {
  /** The role of this connection, and its database. */
  readonly role: string
  readonly database: string
  /** The servers that commits wait for (`synchronous_standby_names`). Empty: they wait for none. */
  readonly synchronousNames: string
  /** What the sessions of the role wait for (`synchronous_commit`): `on`, `remote_apply`, `local` ... */
  readonly synchronousCommit: string
  /** Where that comes from (`pg_settings.source`): `default`, `configuration file`, `database`, `user` ... */
  readonly synchronousCommitSource: string
  /** Whether the role may see the state of standbys. Without the right, `standbys` is empty. */
  readonly seesStandbys: boolean
  readonly standbys: readonly {
    readonly name: string
    /** `sync`, `quorum`, `potential` or `async`. */
    readonly syncState: string
  }[]
}

export interface Inspector {
  inspect(): Promise<Inspection>
  /**
   * Compares head, journal and records with each other, a limited part at a time. It changes nothing. Absent if only the backend itself can
   * change its content.
   */
  examine?(from?: ExaminationCursor): Promise<Examination>
  /** Asks the primary about its standbys. Absent if the backend has none, or cannot ask. */
  inspectReplication?(): Promise<Replication>
  /** Asks each replica about itself. Absent if the store reads from no replicas. */
  inspectReplicas?(): Promise<readonly ReplicaInspection[]>
}
