import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { nodeIdIn, serviceNodeId } from '../../records/graph/graph-id.ts'
import { namespaceIn } from '../../records/service/namespace.ts'
import { itemsOf, textOf } from '../model/lenient-json.ts'
import { deriveDependencies } from './derive-dependencies.ts'
import { deriveMigrationFile } from './derive-migration-file.ts'
import type { DeriveSink } from './derive-sink.ts'

/**
 * Derives the contribution of one service record to the graph: a node for its name, and an edge for each thing that it declares.
 * All of it is in the namespace of the service, except for needs that name another one. It is a pure function. It skips values that it does not understand: the registry never refuses data because of the graph.
 *
 * @returns the id of the service's node
 */
export function deriveService(data: JsonObject, sink: DeriveSink): string {
  const namespace = namespaceIn(data)
  deriveDependencies(data['dependencies'], namespace, sink)
  deriveOthers(data, namespace, sink)
  return serviceNodeId(serviceNameIn(data), namespace)
}

/** Derives everything except the `dependencies` of the registration, which nearly every service has. */
export function deriveOthers(data: JsonObject, namespace: string, sink: DeriveSink): void {
  for (const capability of itemsOf(data['capabilities']))
    if (typeof capability === 'string' && capability !== '')
      sink('provides', nodeIdIn(namespace, 'capability', capability))
  const file = data['migrationFile']
  if (isJsonObject(file)) deriveMigrationFile(file, { serviceName: serviceNameIn(data), namespace, sink })
}

export function serviceNameIn(data: JsonObject): string {
  return textOf(data['serviceName']) ?? ''
}
