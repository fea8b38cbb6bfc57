import type { JsonValue } from '../records/canonical-json.ts'
import { serviceNodeId } from '../records/graph-id.ts'
import { type DeriveSink, isObject, itemsOf, textOf } from './derive-sink.ts'

/** Dependencies on other services: names, or objects `{serviceName, version?, type?}`. */
export function deriveDependencies(dependencies: JsonValue | undefined, sink: DeriveSink): void {
  for (const dependency of itemsOf(dependencies)) {
    const details = isObject(dependency) ? dependency : undefined
    const name = details === undefined ? textOf(dependency) : textOf(details['serviceName'])
    if (name !== undefined) sink('depends_on', serviceNodeId(name), details)
  }
}
