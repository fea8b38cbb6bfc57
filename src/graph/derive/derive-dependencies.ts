import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { serviceNodeId } from '../../records/graph/graph-id.ts'
import { itemsOf, textOf } from '../model/lenient-json.ts'
import type { DeriveSink } from './derive-sink.ts'
import { neededNamespace } from './needed-namespace.ts'

/** Type of the edge to a service that another one depends on. */
export const DEPENDS_ON = 'depends_on'

/**
 * Dependencies on other services: names, or objects `{serviceName, namespace?, version?, type?}`.
 *
 * @param own the namespace of the service that has them
 */
export function eachDependency(
  dependencies: JsonValue | undefined,
  own: string,
  visit: (serviceName: string, namespace: string, details: JsonObject | undefined) => void,
): void {
  for (const dependency of itemsOf(dependencies)) {
    const details = isJsonObject(dependency) ? dependency : undefined
    const name = details === undefined ? textOf(dependency) : textOf(details['serviceName'])
    const namespace = neededNamespace(details, own)
    if (name !== undefined && namespace !== undefined) visit(name, namespace, details)
  }
}

export function deriveDependencies(dependencies: JsonValue | undefined, own: string, sink: DeriveSink): void {
  eachDependency(dependencies, own, (name, namespace, details) =>
    sink(DEPENDS_ON, serviceNodeId(name, namespace), details),
  )
}
