import { isJsonObject, type JsonValue } from '../../../records/canonical-json.ts'
import { wordOf } from '../reading/file-value.ts'

/** What identifies an entity of Backstage. Case makes no difference. */
export interface EntityReference {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** What a reference may leave out. */
export interface ReferenceContext {
  /** The kind of a reference that names none; `undefined` if Backstage does not allow that there. */
  readonly kind: string | undefined
  readonly namespace: string
}

/** Reads a reference: `[KIND:][NAMESPACE/]NAME`, or a map with these members. @returns `undefined` for what is none */
export function readReference(
  value: JsonValue | undefined,
  context: ReferenceContext,
): EntityReference | undefined {
  const [, kind, namespace, name] = isJsonObject(value)
    ? [undefined, wordOf(value['kind']), wordOf(value['namespace']), wordOf(value['name'])]
    : (/^(?:([^:/\s]+):)?(?:([^:/\s]+)\/)?([^:/\s]+)$/.exec(wordOf(value) ?? '') ?? [])
  const known = kind ?? context.kind
  return known === undefined || name === undefined
    ? undefined
    : { kind: known.toLowerCase(), namespace: (namespace ?? context.namespace).toLowerCase(), name }
}

/** Equal for references to the same entity. */
export function referenceKey({ kind, namespace, name }: EntityReference): string {
  return `${kind}:${namespace}/${name.toLowerCase()}`
}
