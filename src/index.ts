/** Everything that a program can import: `import { createCoordinator } from '@coordinator/server'`. */
export type { Access, AccessMode } from './access/access.ts'
export type { TokenInfo } from './access/known-token.ts'
export { PROGRAM, type Principal, type PrincipalKind } from './access/principal.ts'
export { Grants } from './access/scopes/grants.ts'
export type { Scope } from './access/scopes/scope.ts'
export type { TokenWish } from './access/token-wish.ts'
export type { AccessSettings, JwtSettings } from './config/access-settings.ts'
export { type ClientSettings, readClientSettings, readSettings, type Settings } from './config/settings.ts'
export {
  type Coordinator,
  type CoordinatorOptions,
  createCoordinator,
} from './coordinator.ts'
export { TOKEN_SCOPES_MAX, TOKEN_SCOPES_MAX_LENGTH, TOKENS_MAX } from './database/access-store.ts'
export { MemoryStore, type MemoryStoreOptions } from './database/memory/store.ts'
export type * from './database/store.ts'
export {
  CoordinatorError,
  ERRORS,
  type ErrorCode,
  type ErrorEntry,
  type ErrorOptions,
  type Problem,
  toCoordinatorError,
  type WriteOutcome,
} from './errors.ts'
export type {
  AtRevision,
  ExportAnswer,
  GraphFigures,
  KnowledgeGraph,
} from './graph/knowledge-graph.ts'
export type { AnswerTo, Question } from './graph/questions/answer-question.ts'
export type { SimulateAnswer } from './graph/simulate/simulate.ts'
export type { StopReport } from './http/lifecycle/stop-server.ts'
export type { HttpServer } from './http/server.ts'
export { Live } from './live/live.ts'
export type { LiveOptions } from './live/state/live-options.ts'
export type { LiveState, LiveStatus } from './live/state/status.ts'
export type { LiveObserver } from './live/view/live-observer.ts'
export type { Domain, KindCheck, Projection, ProjectionDefinition } from './live/view/projection.ts'
export type { View } from './live/view/view.ts'
export type { Precondition } from './live/writing/preconditions.ts'
export {
  type CanonicalJson,
  canonicalJson,
  type JsonObject,
  type JsonValue,
} from './records/canonical-json.ts'
export { nextDigest } from './records/digest.ts'
export {
  type Commit,
  type DeleteWrite,
  type Entry,
  type EntryWrite,
  MAX_REVISION,
  type Position,
  type PutWrite,
  type RecordKey,
  type Revision,
  type StoredRecord,
  type Tombstone,
  type Write,
} from './records/record.ts'
export type { Dependency, Registration, RegistrationInput } from './records/service/service.ts'
export type { Warning } from './records/warning.ts'
export type * from './registry/answers/answers.ts'
export type {
  HistoryQuery,
  ListQuery,
  NamespaceCounts,
  NamespacesAnswer,
  NamespacesQuery,
  Registry,
} from './registry/registry.ts'
export { createLogger, type Logger, type LoggingOptions } from './telemetry/logging.ts'
export type { Metrics } from './telemetry/metrics.ts'
