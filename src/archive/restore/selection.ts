import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { namespacesOfRecord } from '../../records/graph/record-namespaces.ts'
import type { StoredRecord } from '../../records/record.ts'
import { DEFAULT_NAMESPACE, namespaceIn } from '../../records/service/namespace.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'

/** A part of the records. */
export interface Selection {
  /** Whether a version of a record belongs to it. */
  has(record: Pick<StoredRecord, 'kind' | 'id' | 'data'>): boolean
}

type Rule = (record: Pick<StoredRecord, 'kind' | 'id' | 'data'>) => boolean

/**
 * Reads what names a part of the records, such as `service:cart`, `service:shop/cart`, `service:*`, `node:ID`, `edge:ID` and
 * `namespace:shop`. A service is named by its name, in one namespace or in all of them, or by its id; other records by their ids.
 *
 * @returns `undefined` if one of the texts is none of these
 */
export function readSelection(texts: readonly string[]): Selection | undefined {
  const rules = texts.map(ruleOf)
  const known = rules.filter((rule) => rule !== undefined)
  if (known.length < rules.length || known.length === 0) return undefined
  return { has: (record) => known.some((rule) => rule(record)) }
}

function ruleOf(text: string): Rule | undefined {
  const [, kind, name] = /^([a-z][a-z0-9_-]*):(.+)$/s.exec(text) ?? []
  if (kind === undefined || name === undefined) return undefined
  if (kind === 'namespace') return (record) => isIn(name, record)
  if (name === '*') return (record) => record.kind === kind
  if (kind === SERVICE_KIND) return (record) => record.kind === kind && isService(name, record)
  return (record) => record.kind === kind && record.id === name
}

function isIn(namespace: string, { kind, id, data }: Parameters<Rule>[0]): boolean {
  // Most records are of other namespaces. A namespace stands in the text of every record of it, unless it is the default one.
  if (namespace !== DEFAULT_NAMESPACE && !data.includes(namespace) && !id.includes(namespace)) return false
  return namespacesOfRecord({ kind, id, data: objectOf(data) }).includes(namespace)
}

function isService(name: string, { id, data }: Parameters<Rule>[0]): boolean {
  if (id === name) return true
  const [, namespace, short = name] = /^([a-z0-9-]+)\/(.+)$/s.exec(name) ?? []
  const isNamed = (serviceName: string) => objectOf(data)['serviceName'] === serviceName
  // A name may have a slash in it.
  if (data.includes(JSON.stringify(name)) && isNamed(name)) return true
  if (namespace === undefined || !data.includes(JSON.stringify(short))) return false
  return isNamed(short) && namespaceIn(objectOf(data)) === namespace
}

function objectOf(data: string): JsonObject {
  const value: unknown = JSON.parse(data)
  return isJsonObject(value) ? value : {}
}
