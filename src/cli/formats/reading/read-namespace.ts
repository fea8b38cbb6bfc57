import { DEFAULT_NAMESPACE, NAMESPACE_LENGTH } from '../../../records/service/namespace.ts'

/**
 * The namespace that a name in a file becomes: small letters, and `-` for every other character that a namespace cannot have.
 *
 * @returns `default` if there is no name
 */
export function readNamespace(name: string | undefined): string {
  const namespace = (name ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, NAMESPACE_LENGTH)
  return namespace === '' ? DEFAULT_NAMESPACE : namespace
}
