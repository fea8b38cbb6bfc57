import type { JsonObject } from '../canonical-json.ts'

/** The namespace of services that name none. Stored data never contains it, so that services from before namespaces are in it, too. */
export const DEFAULT_NAMESPACE = 'default'

/** The longest namespace, in characters: that of a label in DNS, and of a namespace in Kubernetes. */
export const NAMESPACE_LENGTH = 63

const form = /^[a-z0-9-]{1,63}$/

/** Whether a text can be a namespace. */
export function isNamespace(text: string): boolean {
  return form.test(text)
}

/** The rest of a sentence that begins with the name of the field. */
export const NAMESPACE_RULE = `must have 1 to ${NAMESPACE_LENGTH} characters of a-z, 0-9 and -`

/** The namespace of a stored service. */
export function namespaceIn(data: JsonObject): string {
  return (data['namespace'] as string | undefined) ?? DEFAULT_NAMESPACE
}
