import { nameUuid } from '../name-uuid.ts'
import { endpointHref } from './endpoint.ts'
import { DEFAULT_NAMESPACE } from './namespace.ts'

/** The namespace of all service ids. It never changes, so that ids are the same on every coordinator, at any time. */
export const SERVICE_NAMESPACE = 'fb2920be-0489-4af8-bd4e-62bed4e5c35a'

/** The fields of a registration that identify its service. */
export interface ServiceIdentity {
  readonly serviceName: string
  /** @default `default` */
  readonly namespace?: string | undefined
  readonly version: string
  readonly endpoint: string
  /** If it is given, it and the name alone identify the service. Version and endpoint may then change. */
  readonly instanceId?: string | undefined
}

/**
 * The id of a service: UUIDv5 over the JSON text of `["service",namespace,serviceName,version,endpoint]`, or of
 * `["instance",namespace,serviceName,instanceId]`. The endpoint is in its canonical form (`endpointHref`), other texts are as sent.
 */
export function serviceIdOf(identity: ServiceIdentity): string {
  const { namespace = DEFAULT_NAMESPACE, serviceName, version, endpoint, instanceId } = identity
  const name =
    instanceId === undefined
      ? ['service', namespace, serviceName, version, endpointHref(endpoint)]
      : ['instance', namespace, serviceName, instanceId]
  // An array of well-formed texts has only one form in JSON without white space, so this text is canonical.
  return nameUuid(JSON.stringify(name), SERVICE_NAMESPACE)
}
