import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { nodeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import { itemsOf, textOf } from '../model/lenient-json.ts'
import { deriveDependencies } from './derive-dependencies.ts'
import { deriveMigrationFile } from './derive-migration-file.ts'
import type { DeriveSink } from './derive-sink.ts'

/**
 * Derives the contribution of one service record to the graph: a node for its name, and an edge for each thing that it declares.
 * It is a pure function. It skips values that it does not understand: the registry never refuses data because of the graph.
 *
 * @returns the id of the service's node
 */
export function deriveService(data: JsonObject, sink: DeriveSink): string {
  deriveDependencies(data['dependencies'], sink)
  deriveOthers(data, sink)
  return serviceNodeId(serviceNameIn(data))
}

/** Derives everything except the `dependencies` of the registration, which nearly every service has. */
export function deriveOthers(data: JsonObject, sink: DeriveSink): void {
  for (const capability of itemsOf(data['capabilities']))
    if (typeof capability === 'string' && capability !== '')
      sink('provides', nodeId('capability', capability))
  const file = data['migrationFile']
  if (isJsonObject(file)) deriveMigrationFile(file, serviceNameIn(data), sink)
}

export function serviceNameIn(data: JsonObject): string {
  return textOf(data['serviceName']) ?? ''
}
