import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { serviceNodeId } from '../../records/graph/graph-id.ts'
import { itemsOf, textOf } from '../model/lenient-json.ts'
import type { DeriveSink } from './derive-sink.ts'

/** Type of the edge to a service that another one depends on. */
export const DEPENDS_ON = 'depends_on'

/** Dependencies on other services: names, or objects `{serviceName, version?, type?}`. */
export function eachDependency(
  dependencies: JsonValue | undefined,
  visit: (serviceName: string, details: JsonObject | undefined) => void,
): void {
  for (const dependency of itemsOf(dependencies)) {
    const details = isJsonObject(dependency) ? dependency : undefined
    const name = details === undefined ? textOf(dependency) : textOf(details['serviceName'])
    if (name !== undefined) visit(name, details)
  }
}

export function deriveDependencies(dependencies: JsonValue | undefined, sink: DeriveSink): void {
  eachDependency(dependencies, (name, details) => sink(DEPENDS_ON, serviceNodeId(name), details))
}
