import { LIMITS } from '../limits.ts'
import {
  document,
  endpoint,
  freeText,
  labels,
  list,
  nameOrObject,
  namespace,
  ownNamespace,
  pathOrUrl,
  text,
  wholeNumber,
} from './field-kinds.ts'
import { described, FieldSet, optional, required, withDefault } from './field-set.ts'

const name = text(LIMITS.nameLength, { empty: 'COORD_NAME_EMPTY', tooLong: 'COORD_NAME_TOO_LONG' })
const version = text(LIMITS.versionLength, {
  empty: 'COORD_VERSION_EMPTY',
  tooLong: 'COORD_VERSION_TOO_LONG',
})

/** The fields of a dependency that is more than a name. */
export const dependencyFields = new FieldSet({
  serviceName: required(name),
  namespace: optional(namespace, 'The namespace of that service. Without it, that of the registration.'),
  version: optional(
    text(LIMITS.dependencyVersionLength),
    'The semver range of versions that this service can use.',
  ),
  type: optional(
    text(LIMITS.dependencyTypeLength),
    'How it is used, such as `http`, `grpc`, `database`, `queue`.',
  ),
})

const dependency = described(
  nameOrObject(name, dependencyFields),
  'A service that this one needs: its name, or an object with more about it.',
)

/**
 * Every field of a registration, in the order of the documents. Everything that is accepted, stored, answered and documented comes from
 * this table: a field that is added here is added everywhere.
 */
export const registrationFields = {
  serviceName: required(name, 'The name under which others know the service.'),
  namespace: optional(
    ownNamespace,
    'The system to which the service belongs. Services of the same name in different namespaces have nothing to do with each other. Without it: `default`.',
  ),
  version: required(
    version,
    'The version that runs: any text, preferably a semantic version such as `1.4.0`.',
  ),
  endpoint: required(
    endpoint,
    'Where the service is reached: an absolute URL with a host, with the scheme of any transport (`http`, `grpc`, `tcp`, `postgres`, ...; `unix:///path` for a socket), and without credentials.',
  ),
  healthCheck: withDefault('/health', pathOrUrl, 'Path or URL that tells whether the service works.'),
  description: optional(freeText(LIMITS.descriptionLength), 'What the service does, for people.'),
  metadata: withDefault(
    {},
    document(LIMITS.metadataBytes),
    'Anything else; texts, numbers and booleans can be filtered by.',
  ),
  tags: withDefault([], labels(LIMITS.tags, 'COORD_TAGS_TOO_MANY')),
  capabilities: withDefault(
    [],
    labels(LIMITS.capabilities),
    'What the service can do for others, such as `payments.refund`.',
  ),
  dependencies: withDefault([], list(dependency, LIMITS.dependencies)),
  instanceId: optional(
    text(LIMITS.instanceIdLength),
    'Names one of several instances: then version and endpoint may change under one id.',
  ),
  ttlSeconds: optional(
    wholeNumber(LIMITS.ttlSeconds),
    'The service promises a heartbeat at least this often; without one it expires.',
  ),
  migrationFile: optional(
    document(LIMITS.migrationFileBytes),
    'What the service brings along; makes it `active`. Whatever it holds is kept; the knowledge graph understands `apis` (or `apiEndpoints`, `endpoints`), `calls`, `tables`, `events`, `capabilities`, `requires` and `dependencies`, as docs/migration-file.schema.json describes them.',
  ),
}
