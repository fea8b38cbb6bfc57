import type { JournalEntry, JournalWrite } from '../../../api/types.ts'
import { serviceNode } from '../../../state/places.ts'
import { writeVerb } from '../../../state/write-verb.ts'

/** What a commit wrote, in a few words: `registered cart 3.0.0, registered flagd 1.2.0 and 4 more`. */
export function entrySummary({ writes }: JournalEntry): string {
  const words = writes.slice(0, 3).map(wordsOf)
  const rest = writes.length - words.length
  return `${words.join(', ')}${rest > 0 ? ` and ${rest.toLocaleString('en')} more` : ''}` || 'nothing'
}

function wordsOf(write: JournalWrite): string {
  const { kind, id, data } = write
  const version = textIn(data, 'version')
  const name = textIn(data, 'serviceName') ?? id
  return `${writeVerb(write)} ${version === undefined ? `${kind} ${name}` : `${name} ${version}`}`
}

/** The nodes that a commit wrote, as far as its records tell. A deleted record only has an id. */
export function writtenNodes({ writes }: JournalEntry): readonly string[] {
  return writes.flatMap(({ kind, id, data }) => {
    const name = textIn(data, 'serviceName')
    if (kind === 'service')
      return name === undefined ? [] : [serviceNode(name, textIn(data, 'namespace') ?? 'default')]
    return kind === 'node' ? [id] : []
  })
}

function textIn(data: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const value = data?.[name]
  return typeof value === 'string' ? value : undefined
}
