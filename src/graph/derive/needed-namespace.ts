import type { JsonObject } from '../../records/canonical-json.ts'
import { isNamespace } from '../../records/service/namespace.ts'

/**
 * The namespace of something that a service needs: that of the service, unless the member `namespace` names another one. `undefined` if
 * it holds what cannot be a namespace.
 *
 * @param own the namespace of the service
 */
export function neededNamespace(details: JsonObject | undefined, own: string): string | undefined {
  const named = details?.['namespace'] ?? own
  return named === own || (typeof named === 'string' && isNamespace(named)) ? named : undefined
}
