import { CoordinatorError } from '../../errors.ts'
import { recordEtag } from '../../http/reading/etag.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import type { CoordinatorClient } from '../context/coordinator-client.ts'
import { authorText } from '../terminal/author-text.ts'
import { type Item, itemOf } from './item.ts'
import { nameInNamespace, namespacesOfItem } from './record-namespace.ts'
import { sourceIn } from './source.ts'
import type { SnapshotHead, SnapshotRecord } from './stored-records.ts'

/** The part of what a source has brought that may be removed without `--force`, in percent. */
export const PRUNE_LIMIT_PERCENT = 20

/** The command that imports writes; histories name it after the user. */
export const IMPORT_COMMAND = 'import'

/** Something that a source once brought. */
export interface Brought {
  readonly kind: 'service' | 'node' | 'edge'
  readonly id: string
  /** For people. */
  readonly name: string
  /** Matches while nobody has changed it. */
  readonly etag: string
  readonly namespaces: readonly string[]
}

/** What a file contains. */
export class FileContent {
  readonly #keys = new Set<string>()
  readonly #namespaces = new Set<string>()

  /** @param id of the service, the node or the edge */
  add(item: Item, id: string): void {
    this.#keys.add(keyOf(item.about?.kind ?? SERVICE_KIND, id))
    for (const namespace of namespacesOfItem(item)) this.#namespaces.add(namespace)
  }

  has(kind: string, id: string): boolean {
    return this.#keys.has(keyOf(kind, id))
  }

  /** Whether the file is about these namespaces: one that is empty is about all. */
  isAbout(namespaces: readonly string[]): boolean {
    return this.#keys.size === 0 || namespaces.every((namespace) => this.#namespaces.has(namespace))
  }
}

/** Something that the file lacks and that stays all the same, with the reason. */
export interface Spared extends Brought {
  readonly why: string
}

/** The records of a source, gathered from a snapshot. */
export class BroughtRecords {
  readonly #source: string
  readonly #records: Brought[] = []
  #lineage = ''

  constructor(source: string) {
    this.#source = source
  }

  begin({ position }: SnapshotHead): void {
    this.#lineage = position.lineage
  }

  add(record: SnapshotRecord): void {
    const { kind, revision } = record
    if (revision === undefined || sourceIn(record) !== this.#source) return
    const item = itemOf(record, { place: '' })
    const id = item.about?.id ?? record.id
    const name = kind === SERVICE_KIND ? nameOfService(item) : id
    const etag = recordEtag({ lineage: this.#lineage, revision })
    this.#records.push({ kind: kind as Brought['kind'], id, name, etag, namespaces: namespacesOfItem(item) })
  }

  /**
   * What the source has in the namespaces that are asked about.
   *
   * @param namespace the only one. @default those of the file
   */
  within(file: FileContent, namespace: string | undefined): readonly Brought[] {
    return this.#records.filter(({ namespaces }) =>
      namespace === undefined ? file.isAbout(namespaces) : namespaces.every((one) => one === namespace),
    )
  }
}

/** Edges go first, because nothing is left hanging then. */
const order: readonly Brought['kind'][] = ['edge', 'service', 'node']

/** One key for each service, node and edge. */
export function keyOf(kind: string, id: string): string {
  return `${kind} ${id}`
}

/** What a source has brought, what is in its file now, and how they are compared. */
export interface PruneOptions {
  readonly client: CoordinatorClient
  readonly source: string
  /** What the source had before the import. */
  readonly brought: readonly Brought[]
  readonly file: FileContent
  /** Whether more may go than the limit allows. */
  readonly force: boolean
  readonly interrupted: AbortSignal
}

/** What goes, and what stays although the file lacks it. */
export interface Pruning {
  readonly removed: readonly Brought[]
  readonly spared: readonly Spared[]
}

/** @throws COORD_CLI_PRUNE_LIMIT, with the first names */
export async function planPruning(options: PruneOptions): Promise<Pruning> {
  const { client, source, brought, file, force, interrupted } = options
  const lacking = brought
    .filter(({ kind, id }) => !file.has(kind, id))
    .sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind))
  const removed: Brought[] = []
  const spared: Spared[] = []
  for (const record of lacking) {
    interrupted.throwIfAborted()
    const why = await reasonToSpare(client, record)
    if (why !== undefined) spared.push({ ...record, why })
    else removed.push(record)
    // It ends here, so that an empty file does not cause questions about everything.
    if (!force && removed.length * 100 > brought.length * PRUNE_LIMIT_PERCENT)
      throw overLimit(lacking, { has: brought.length, source })
  }
  return { removed, spared }
}

/** Removes what was planned. What has changed since then stays. */
export async function removePlanned({ client, interrupted }: PruneOptions, plan: Pruning): Promise<Pruning> {
  const removed: Brought[] = []
  const spared = [...plan.spared]
  for (const record of plan.removed) {
    interrupted.throwIfAborted()
    const { status } = await client.delete(pathOf(record), {
      headers: { 'if-match': record.etag },
      accept: (status) => isFound(status) || status === 412,
    })
    if (status === 412) spared.push({ ...record, why: 'it has changed meanwhile' })
    else removed.push(record)
  }
  return { removed, spared }
}

/** How many names the refusal lists. */
const namesMax = 20

function overLimit(
  lacking: readonly Brought[],
  { has, source }: { readonly has: number; readonly source: string },
): CoordinatorError {
  const names = lacking.slice(0, namesMax).map(({ kind, name }) => `${kind} ${name}`)
  const more = lacking.length > namesMax ? `, and ${lacking.length - namesMax} more` : ''
  return new CoordinatorError('COORD_CLI_PRUNE_LIMIT', {
    detail: `Nothing was removed, because it would be more than ${PRUNE_LIMIT_PERCENT} % of what the source ${source} has brought: the file lacks ${lacking.length} of ${has} (${names.join(', ')}${more}).`,
  })
}

/**
 * Why something stays although its source lacks it: it has registered itself since, or somebody else has written it. A registration replaces
 * all fields, and with them the mark of the source; what is left to find out is who sent a part of it, or a heartbeat.
 *
 * @returns `undefined` if it can go
 */
async function reasonToSpare(client: CoordinatorClient, brought: Brought): Promise<string | undefined> {
  const path = pathOf(brought)
  if (brought.kind === 'service') {
    const { status, body } = await client.get(path, { accept: isFound })
    const service = isJsonObject(body) ? body['service'] : undefined
    if (status === 404) return 'it is gone already'
    if (isJsonObject(service) && typeof service['lastHeartbeat'] === 'string') return 'it sends heartbeats'
  }
  const { status, body } = await client.get(`${path}/history?limit=1`, { accept: isFound })
  if (status === 404) return 'it is gone already'
  const entries = isJsonObject(body) ? body['entries'] : undefined
  const last = Array.isArray(entries) ? entries[0] : undefined
  const actor = isJsonObject(last) ? String(last['actor']) : 'somebody unknown'
  return isImport(actor) ? undefined : `it was last written by ${authorText(actor)}`
}

function isFound(status: number): boolean {
  return status < 300 || status === 404
}

/** The author of an entry is what it proved, and then what it says about itself: `token:ci as cli%3Aanna%20import`. */
function isImport(actor: string): boolean {
  return new RegExp(` as cli%3A[^ ]*%20${IMPORT_COMMAND}$`).test(actor)
}

function pathOf({ kind, id }: Brought): string {
  return kind === 'service' ? `/services/${id}` : `/knowledge-graph/${kind}s/${encodeURIComponent(id)}`
}

function nameOfService(item: Item): string {
  const { serviceName, version, endpoint } = isJsonObject(item.value) ? item.value : {}
  const [namespace] = namespacesOfItem(item)
  return [nameInNamespace(String(serviceName), namespace), version, endpoint]
    .filter((part) => typeof part === 'string')
    .join(' ')
}
