import { isJsonObject, type JsonObject, type JsonValue } from '../../../records/canonical-json.ts'
import { edgeId, nodeIdIn } from '../../../records/graph/graph-id.ts'
import { LIMITS } from '../../../records/limits.ts'
import { DEFAULT_NAMESPACE } from '../../../records/service/namespace.ts'
import { listOf, mapOf, textsOf, wordOf } from '../reading/file-value.ts'
import { FIRST_COUNTS, type ReadingBuilder } from '../reading/format-reading.ts'
import { makeMetadata } from '../reading/make-metadata.ts'
import type { FileDocuments } from '../reading/read-documents.ts'
import { readNamespace } from '../reading/read-namespace.ts'
import { type EntityReference, readReference, referenceKey } from './entity-reference.ts'

export interface BackstageOptions {
  /** Takes the place of all namespaces of the file. */
  readonly namespace?: string | undefined
}

/** How a member of `spec` becomes an edge. Edges lead from what needs to what is needed, except `owns` and `exposes`. */
interface Relation {
  readonly member: string
  /** The kind of references that do not say theirs. */
  readonly kind?: string
  readonly edge: string
  /** Whether the edge leads from the other entity to the one with the member. */
  readonly isReverse?: true
}

/** docs/import.md shows this table. */
const relations: readonly Relation[] = [
  { member: 'dependsOn', edge: 'depends_on' },
  { member: 'dependencyOf', edge: 'depends_on', isReverse: true },
  { member: 'providesApis', kind: 'api', edge: 'exposes' },
  { member: 'consumesApis', kind: 'api', edge: 'consumes' },
  { member: 'owner', kind: 'group', edge: 'owns', isReverse: true },
  { member: 'system', kind: 'system', edge: 'has_part', isReverse: true },
  { member: 'domain', kind: 'domain', edge: 'has_part', isReverse: true },
  { member: 'subcomponentOf', kind: 'component', edge: 'has_part', isReverse: true },
  { member: 'subdomainOf', kind: 'domain', edge: 'has_part', isReverse: true },
  { member: 'parent', kind: 'group', edge: 'has_part', isReverse: true },
  { member: 'children', kind: 'group', edge: 'has_part' },
  { member: 'members', kind: 'user', edge: 'has_member' },
  { member: 'memberOf', kind: 'group', edge: 'has_member', isReverse: true },
]

/** Whether a value says that it is for Backstage. */
export function isEntity(value: JsonValue | undefined): value is JsonObject {
  const version = isJsonObject(value) ? wordOf(value['apiVersion']) : undefined
  return version !== undefined && /(?:^|\.)backstage\.io\//.test(version)
}

interface Entity {
  readonly where: string
  readonly reference: EntityReference
  readonly source: JsonObject
}

/**
 * Reads entities of Backstage. They say what exists and who owns it, but not what runs where. Each becomes an asserted node; the node of a
 * Component is that of the service with its name.
 */
export function readBackstage(
  { documents, lines }: FileDocuments,
  options: BackstageOptions,
  reading: ReadingBuilder,
): void {
  const entities: Entity[] = []
  const known = new Map<string, EntityReference>()
  for (const { where, value, fault } of documents) {
    if (fault === undefined) unfold(value ?? null, where)
    else reading.cannotRead(where, fault)
  }
  for (const { where, reference, source } of entities)
    reading.addNode(where, idOf(reference), bodyOf({ where, reference, source }, reading))
  for (const entity of entities) for (const relation of relations) relate(entity, relation)

  function unfold(value: JsonValue, documentPlace: string): void {
    const items = isJsonObject(value) && !isEntity(value) ? value['items'] : value
    if (Array.isArray(items)) {
      for (const item of items) unfold(item, documentPlace)
      return
    }
    const line = isJsonObject(value) ? lines.get(value) : undefined
    const place = line === undefined ? documentPlace : `line ${line}`
    if (!isEntity(value)) return reading.cannotRead(place, 'it is not an entity of Backstage')
    const { namespace, name } = mapOf(value['metadata'])
    const kind = wordOf(value['kind'])
    const own = readReference(
      { kind: kind ?? null, namespace: namespace ?? null, name: name ?? null },
      { kind: undefined, namespace: DEFAULT_NAMESPACE },
    )
    if (own === undefined) return reading.cannotRead(place, 'it lacks a kind or a name')
    const where = `${place}: ${kind} ${own.name}`
    if (own.kind === 'location') return sayWhatIsElsewhere(value, where)
    if (known.has(referenceKey(own))) return reading.cannotKnow(where, FIRST_COUNTS)
    known.set(referenceKey(own), own)
    entities.push({ where, reference: own, source: value })
  }

  function sayWhatIsElsewhere(source: JsonObject, where: string): void {
    const { target, targets } = mapOf(source['spec'])
    const shown = [target ?? [], targets ?? []].flat().flatMap((each) => wordOf(each) ?? [])
    reading.cannotKnow(where, `other files are not read: import ${shown.slice(0, 5).join(', ')} as well`)
  }

  function relate({ where, reference, source }: Entity, { member, kind, edge, isReverse }: Relation): void {
    for (const item of [mapOf(source['spec'])[member] ?? []].flat()) {
      const read = readReference(item, { kind, namespace: reference.namespace })
      if (read === undefined) {
        const shown = (wordOf(item) ?? JSON.stringify(item)).slice(0, 100)
        const wanted = kind === undefined ? 'KIND:NAME' : 'NAME'
        reading.cannotRead(`${where}, ${member}`, `${shown} is not a reference such as ${wanted}`)
        continue
      }
      const other = known.get(referenceKey(read)) ?? read
      const [from, to] = isReverse === true ? [other, reference] : [reference, other]
      reading.addEdge(where, edgeId({ source: idOf(from), type: edge, target: idOf(to), origin: 'asserted' }))
    }
  }

  function idOf({ kind, namespace, name }: EntityReference): string {
    const type = kind === 'component' ? 'service' : kind
    return nodeIdIn(options.namespace ?? readNamespace(namespace), type, name)
  }
}

/** What is said about an entity. The definition of an API is not copied, because it may be large. */
function bodyOf({ where, reference, source }: Entity, reading: ReadingBuilder): JsonObject {
  const [metadata, spec] = [mapOf(source['metadata']), mapOf(source['spec'])]
  const profile = textsOf(spec['profile'])
  const label = wordOf(metadata['title']) ?? profile.get('displayName') ?? reference.name
  const description = wordOf(metadata['description'])
  const own: Record<string, JsonValue> = { kind: wordOf(source['kind']) ?? reference.kind }
  for (const member of ['type', 'lifecycle']) {
    const text = wordOf(spec[member])
    if (text !== undefined) own[member] = text
  }
  if (description !== undefined)
    own['description'] = description.slice(0, LIMITS.descriptionLength).toWellFormed()
  const tags = listOf(metadata['tags']).flatMap((tag) => wordOf(tag) ?? [])
  if (tags.length > 0) own['tags'] = tags.slice(0, LIMITS.tags)
  const links = listOf(metadata['links']).flatMap((link) => wordOf(mapOf(link)['url']) ?? [])
  if (links.length > 0) own['links'] = links.slice(0, LIMITS.tags)
  const texts = new Map([...textsOf(metadata['labels']), ...textsOf(metadata['annotations'])])
  return {
    label: [...label].slice(0, LIMITS.nameLength).join(''),
    properties: makeMetadata(own, texts, { where, reading }),
  }
}
