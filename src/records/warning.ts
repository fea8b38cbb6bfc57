/** A part of a request that was accepted, but probably not meant. */
export interface Warning {
  /** Stable, for programs: `unknown_field`, `other_version`, ... */
  readonly code: string
  /** For people, with the next step. */
  readonly message: string
  /** JSON pointer into the body. */
  readonly path?: string
  /** The service that the warning is about. */
  readonly serviceId?: string
}
