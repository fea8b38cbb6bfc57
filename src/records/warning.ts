/** Something that was accepted, and that its sender may not have meant. */
export interface Warning {
  /** Stable, for programs: `unknown_field`, `other_version`, ... */
  readonly code: string
  /** For people, with what to do about it. */
  readonly message: string
  /** JSON pointer into the body. */
  readonly path?: string
  /** The service that the warning is about. */
  readonly serviceId?: string
}
