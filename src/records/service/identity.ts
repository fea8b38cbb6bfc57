import { nameUuid } from '../name-uuid.ts'
import { endpointHref } from './endpoint.ts'

/** The namespace of all service ids. Never changes: ids are the same on every coordinator, at any time. */
export const SERVICE_NAMESPACE = 'fb2920be-0489-4af8-bd4e-62bed4e5c35a'

/** What decides which service a registration is about. */
export interface ServiceIdentity {
  readonly serviceName: string
  readonly version: string
  readonly endpoint: string
  /** Where given, it decides together with the name alone: version and endpoint may change. */
  readonly instanceId?: string | undefined
}

/**
 * The id of a service: UUIDv5 over the JSON text of `["service","default",serviceName,version,endpoint]`, or of
 * `["instance","default",serviceName,instanceId]`. The endpoint counts in WHATWG's serialisation, other text as sent.
 * `default` is the place of a namespace.
 */
export function serviceIdOf({ serviceName, version, endpoint, instanceId }: ServiceIdentity): string {
  const name =
    instanceId === undefined
      ? ['service', 'default', serviceName, version, endpointHref(endpoint)]
      : ['instance', 'default', serviceName, instanceId]
  // An array of well-formed texts has only one form in JSON without white space: this is canonical already.
  return nameUuid(JSON.stringify(name), SERVICE_NAMESPACE)
}
