import type { Health } from '../../api/types.ts'
import type { PlaceQuery } from '../../state/location.ts'
import { graphOf, serviceById } from '../../state/places.ts'
import type { Group, OverviewFigures } from './use-figures.ts'

export interface Problem {
  readonly severity: 'fault' | 'warning'
  readonly title: string
  /** What it is about: the first few, each a link. */
  readonly names: readonly { readonly label: string; readonly to: string; readonly query: PlaceQuery }[]
  /** How many more it is about. */
  readonly more: number
  readonly detail?: string | undefined
  /** What to do next: a place in the console, a command, or a sentence. */
  readonly step: {
    readonly text: string
    readonly link?: { readonly to: string; readonly query?: PlaceQuery }
    readonly command?: string
  }
}

/** What is wrong, the worst first. @param health `undefined` for a moment of the past, and for callers who may not see it */
export function problemsOf(figures: OverviewFigures, health: Health | undefined): readonly Problem[] {
  const found = [
    ...(health === undefined ? [] : ofCoordinator(health)),
    ...ofServices(figures),
    ...ofGraph(figures),
  ]
  return found.sort((left, right) => rank(left) - rank(right))
}

function rank({ severity }: Problem): number {
  return severity === 'fault' ? 0 : 1
}

function ofCoordinator({ storage, backup, memory }: Health): readonly Problem[] {
  const found: Problem[] = []
  const about = { names: [], more: 0 }
  if (storage.status === 'degraded' || storage.code !== undefined)
    found.push({
      severity: 'fault',
      title: 'The database does not answer',
      ...about,
      detail: storage.reason,
      step: { text: storage.repair ?? 'See the errors of the database', link: { to: '/database' } },
    })
  if (memory.state !== 'free')
    found.push({
      severity: 'fault',
      title: `The memory of the coordinator is ${memory.state}`,
      ...about,
      detail: `${memory.usedMiB} of ${memory.limitMiB} MiB are in use.`,
      step: { text: 'Give it more memory: NODE_OPTIONS=--max-old-space-size=MIB.' },
    })
  if (backup !== undefined && (backup.state === 'failing' || backup.state === 'stopped'))
    found.push({
      severity: 'fault',
      title: backup.state === 'failing' ? 'The backup fails' : 'The backup has stopped',
      ...about,
      detail: backup.reason,
      step: { text: 'See the backups', link: { to: '/database' } },
    })
  if (backup?.drill?.ok === false)
    found.push({
      severity: 'fault',
      title: 'The last rehearsed restore failed',
      ...about,
      detail: backup.drill.detail,
      step: { text: 'See the backups', link: { to: '/database' } },
    })
  if (!storage.durable)
    found.push({
      severity: 'warning',
      title: 'A restart loses everything',
      ...about,
      detail: 'All records are only in the memory of the coordinator.',
      step: {
        text: 'Start it with a database, for example a file:',
        command: 'DATABASE_URL=sqlite:./data/coordinator.db npx coordinator serve',
      },
    })
  return found
}

function ofServices({ byHealth }: OverviewFigures): readonly Problem[] {
  const reported = (
    group: Group,
    severity: Problem['severity'],
    word: 'down' | 'expired',
  ): readonly Problem[] =>
    group.total === 0
      ? []
      : [
          {
            severity,
            title: `${count(group.total, 'service')} ${word}`,
            names: group.services.map(({ serviceId = '', serviceName = '' }) => ({
              label: serviceName,
              ...serviceById(serviceId),
            })),
            more: group.total - group.services.length,
            detail:
              word === 'down'
                ? 'The last heartbeat that this coordinator received says down.'
                : 'This coordinator received no heartbeat within the promised time.',
            step: { text: `List what is ${word}`, link: { to: '/services', query: { health: word } } },
          },
        ]
  return [...reported(byHealth.down, 'fault', 'down'), ...reported(byHealth.expired, 'warning', 'expired')]
}

function ofGraph({ unresolved, cycles }: OverviewFigures): readonly Problem[] {
  const found: Problem[] = []
  const [missing] = unresolved.nodes
  if (missing !== undefined)
    found.push({
      severity: 'fault',
      title: `${count(unresolved.total, 'dependency', 'dependencies')} that nobody has registered`,
      names: unresolved.nodes.map(({ id, label }) => ({ label, ...graphOf(id) })),
      more: unresolved.total - unresolved.nodes.length,
      detail: 'Register them, or correct the names in the registrations that need them.',
      step: { text: `See who needs ${missing.label}`, link: graphOf(missing.id) },
    })
  const [cycle] = cycles.cycles
  const [first] = cycle?.example ?? []
  if (cycle !== undefined && first !== undefined)
    found.push({
      severity: 'warning',
      title: `${count(cycles.total, 'cycle')} of dependencies`,
      names: cycle.example.map((id) => ({ label: labelOf(id), ...graphOf(id) })),
      more: Math.max(0, cycle.size - cycle.example.length),
      detail: 'These need each other, so none of them can start first.',
      step: { text: `See ${labelOf(first)} in the graph`, link: graphOf(first) },
    })
  return found
}

/** The last part of a node's id, as people wrote it. */
function labelOf(id: string): string {
  const last = id.slice(id.lastIndexOf(':') + 1)
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}
