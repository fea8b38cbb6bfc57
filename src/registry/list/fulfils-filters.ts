import type { JsonObject } from '../../records/canonical-json.ts'
import type { Health } from '../../records/health.ts'
import { namespaceIn } from '../../records/service/namespace.ts'
import { versionTest } from '../../records/version-range.ts'
import { metadataText } from '../index/metadata-text.ts'
import type { ServiceFilters } from './list-query.ts'
import { wordTest } from './text-words.ts'

/** Judges one service at a time by its stored data, for moments that have no index. */
export function filterTest(filters: ServiceFilters): (data: JsonObject, health: Health) => boolean {
  const { name, namespace, version, words, status, health, tags, capabilities, metadata } = filters
  const fulfilsVersion = version === undefined ? () => true : versionTest(version)
  const hasWords = words === undefined ? () => true : wordTest(words).inData
  return (data, healthThen) =>
    (name === undefined || data['serviceName'] === name) &&
    (namespace === undefined || namespaceIn(data) === namespace) &&
    fulfilsVersion(data['version'] as string) &&
    (status === undefined || (status === 'active') === (data['migrationFile'] !== undefined)) &&
    (health === undefined || health === healthThen) &&
    holdsAll(data['tags'], tags) &&
    holdsAll(data['capabilities'], capabilities) &&
    metadata.every(([key, text]) => metadataText(memberOf(data['metadata'], key)) === text) &&
    hasWords(data)
}

function holdsAll(list: JsonObject[string] | undefined, wanted: readonly string[]): boolean {
  return wanted.every((text) => ((list ?? []) as readonly string[]).includes(text))
}

function memberOf(metadata: JsonObject[string] | undefined, key: string): JsonObject[string] | undefined {
  const members = (metadata ?? {}) as JsonObject
  return Object.hasOwn(members, key) ? members[key] : undefined
}
