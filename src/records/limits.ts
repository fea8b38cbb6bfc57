/** The limits of a record. Lengths count Unicode characters, sizes count bytes of JSON in UTF-8. */
export const LIMITS = {
  /** Of a body. */
  bodyBytes: 1_048_576,
  /** Levels of objects and arrays in a body; the body itself is the first. */
  depth: 32,
  /** Members of an object with known fields, including unknown members. */
  members: 256,
  /** Limits of a whole body, for every route. Parsing more would take too long. */
  objectMembers: 10_000,
  bodyMembers: 50_000,
  bodyValues: 131_072,
  bodyObjects: 25_000,
  nameLength: 255,
  versionLength: 128,
  endpointLength: 2_048,
  healthCheckLength: 2_048,
  descriptionLength: 4_096,
  instanceIdLength: 255,
  metadataBytes: 16_384,
  tags: 64,
  capabilities: 64,
  /** A tag or a capability. */
  labelLength: 256,
  dependencies: 256,
  dependencyVersionLength: 255,
  dependencyTypeLength: 100,
  /** One day. */
  ttlSeconds: 86_400,
  migrationFileBytes: 262_144,
  /** Registrations in one batch. */
  batch: 1_000,
  /** Problems that one answer lists. */
  problems: 32,
  /** Characters of the path of a problem. */
  pathLength: 512,
  /** The number of warnings about fields in one answer, and of fields for which the coordinator looks for a typing error. */
  warnings: 32,
} as const

/** Whether a text has at most `max` characters. A character beyond U+FFFF counts once. */
export function fits(text: string, max: number): boolean {
  if (text.length <= max) return true
  // A text has at least half as many characters as code units. A huge text is therefore not split to be counted.
  return text.length <= 2 * max && [...text].length <= max
}
