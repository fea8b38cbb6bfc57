import { authorText } from '../terminal/author-text.ts'
import { printable } from '../terminal/text-table.ts'

/** An entry of the journal, as a coordinator of any version shows it. */
export interface ChangeEntry {
  readonly revision?: unknown
  readonly at?: unknown
  readonly actor?: unknown
  readonly unproven?: unknown
  readonly writes?: unknown
}

/** The head of the lines. They come one by one, so their columns have a fixed width. */
export const changesHead = `${'REVISION'.padEnd(8)}  ${'TIME'.padEnd(24)}  WHAT\n`

/** A line for each write of an entry. */
export function changeLines({ revision, at, actor, unproven, writes }: ChangeEntry, wide: boolean): string {
  const list = Array.isArray(writes) ? (writes as readonly Write[]) : []
  return list
    .map((write) => {
      const what = `${whatOf(write, wide)}, by ${authorText(actor, unproven)}`
      return `${printable(`${String(revision).padEnd(8)}  ${String(at).padEnd(24)}  ${what}`)}\n`
    })
    .join('')
}

interface Write {
  readonly op?: unknown
  readonly kind?: unknown
  readonly id?: unknown
  readonly data?: unknown
}

/** The journal keeps no name of what is gone. */
function whatOf({ op, kind, id, data }: Write, wide: boolean): string {
  if (op === 'delete') return `${kind} ${id} removed`
  const { serviceName, version, namespace, endpoint, id: nodeId, source, type, target } = membersOf(data)
  if (typeof serviceName === 'string') {
    const place = namespace === undefined ? '' : ` in ${namespace}`
    return `service ${serviceName} ${version}${place}${wide ? ` at ${endpoint} (${id})` : ''} registered`
  }
  if (typeof source === 'string') return `edge ${source} ${type} ${target} asserted`
  return `${kind} ${typeof nodeId === 'string' ? nodeId : id} asserted`
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
