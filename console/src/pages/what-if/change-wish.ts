import { serviceNode } from '../../state/places.ts'

/** A service by its name, in its namespace; `undefined` is `default`. */
export interface NamedService {
  readonly serviceName: string
  readonly namespace?: string
}

export interface ChangedVersion extends NamedService {
  readonly version: string
}

/** The change that somebody thinks of, as the address of the page has it. */
export interface ChangeWish {
  readonly remove: readonly NamedService[]
  readonly changeVersion: readonly ChangedVersion[]
  /** The text of a registration, or of a list of them, as it was pasted. */
  readonly register: string
}

/** What the address of the page says: `?remove=service:flagd&version=service:cart=4.0.0`. */
export function wishFrom(members: {
  readonly remove: readonly string[]
  readonly version: readonly string[]
  readonly register: string | undefined
}): ChangeWish {
  return {
    remove: members.remove.map(namedService),
    changeVersion: members.version.flatMap((text) => {
      const split = text.lastIndexOf('=')
      return split < 1 ? [] : [{ ...namedService(text.slice(0, split)), version: text.slice(split + 1) }]
    }),
    register: members.register ?? '',
  }
}

export function isEmpty({ remove, changeVersion, register }: ChangeWish): boolean {
  return remove.length === 0 && changeVersion.length === 0 && register.trim() === ''
}

/** A service by the id of its node, or by its name alone. */
export function namedService(given: string): NamedService {
  if (!given.startsWith('service:')) return { serviceName: given }
  const parts = given.slice('service:'.length).split(':')
  const [first = '', second] = parts
  if (first.startsWith('@') && second !== undefined)
    return { serviceName: decoded(second), namespace: decoded(first.slice(1)) }
  return { serviceName: decoded(first) }
}

export function idOf({ serviceName, namespace }: NamedService): string {
  return serviceNode(serviceName, namespace ?? 'default')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // Somebody wrote a percent sign into the address.
    return part
  }
}

/** The body of `POST /knowledge-graph/simulate`. */
export interface SimulationBody {
  readonly remove?: readonly (string | NamedService)[]
  readonly changeVersion?: readonly ChangedVersion[]
  readonly register?: readonly unknown[]
}

/**
 * @throws SyntaxError if `register` is not JSON
 */
export function bodyOf({ remove, changeVersion, register }: ChangeWish): SimulationBody {
  const pasted: unknown = register.trim() === '' ? [] : JSON.parse(register)
  const registrations = Array.isArray(pasted) ? pasted : [pasted]
  return {
    ...(remove.length === 0
      ? {}
      : { remove: remove.map((one) => (one.namespace === undefined ? one.serviceName : one)) }),
    ...(changeVersion.length === 0 ? {} : { changeVersion }),
    ...(registrations.length === 0 ? {} : { register: registrations }),
  }
}
