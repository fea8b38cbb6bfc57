import type { HealthWord } from '../../api/types.ts'
import type { Column } from '../../parts/data-table.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { HealthMark } from '../../parts/health-mark.tsx'
import { Link } from '../../parts/link.tsx'
import { Tags } from '../../parts/tags.tsx'
import { Revision, Time } from '../../parts/time.tsx'
import { setQuery } from '../../state/location.ts'
import { serviceById } from '../../state/places.ts'
import type { ServiceRow } from './service-row.ts'

/** The most urgent first. */
const urgency: Readonly<Record<HealthWord, number>> = { down: 0, expired: 1, unknown: 2, up: 3 }

/** So many tags fit into a row. */
const LINE_TAGS = 2

const all: readonly Column<ServiceRow>[] = [
  {
    key: 'name',
    title: 'Name',
    width: '22%',
    sortBy: ({ service }) => service.serviceName,
    render: ({ service: { serviceId, serviceName } }) => (
      <Link {...serviceById(serviceId)} class="service-name" title={serviceName}>
        <Foreign text={serviceName} />
      </Link>
    ),
  },
  {
    key: 'health',
    title: 'Health',
    width: '118px',
    sortBy: ({ service }) => urgency[service.health],
    render: ({ service }) => <HealthMark health={service.health} />,
  },
  {
    key: 'version',
    title: 'Version',
    width: '110px',
    sortBy: ({ service }) => service.version,
    render: ({ service }) => (
      <span title={service.version}>
        <Foreign text={service.version} class="mono" />
      </span>
    ),
  },
  {
    key: 'namespace',
    title: 'Namespace',
    width: '130px',
    sortBy: ({ service }) => service.namespace,
    render: ({ service: { namespace } }) => (
      <Link to="/services" query={{ namespace }} title={`Show only the namespace ${namespace}`}>
        <Foreign text={namespace} />
      </Link>
    ),
  },
  {
    key: 'owner',
    title: 'Owner',
    width: '130px',
    sortBy: ({ owner }) => owner,
    render: ({ owner }) => <Perhaps text={owner} />,
  },
  {
    key: 'tags',
    title: 'Tags',
    width: '19%',
    sortBy: ({ service }) => service.tags?.join(' ') || undefined,
    render: ({ service }) => (
      <Tags tags={service.tags ?? []} most={LINE_TAGS} onChoose={(tag) => setQuery({ q: tag })} />
    ),
  },
  {
    key: 'capabilities',
    title: 'Capabilities',
    width: '18%',
    sortBy: ({ service }) => service.capabilities?.join(' ') || undefined,
    render: ({ service }) => <Tags tags={service.capabilities ?? []} most={LINE_TAGS} />,
  },
  {
    key: 'endpoint',
    title: 'Endpoint',
    width: '22%',
    sortBy: ({ service }) => service.endpoint,
    render: ({ service }) => (
      <span title={service.endpoint}>
        <Foreign text={service.endpoint} class="mono" />
      </span>
    ),
  },
  {
    key: 'dependencies',
    title: 'Needs',
    width: '80px',
    align: 'end',
    sortBy: ({ service }) => service.dependencies?.length ?? 0,
    render: ({ service }) => service.dependencies?.length ?? 0,
  },
  {
    key: 'instance',
    title: 'Instance',
    width: '130px',
    sortBy: ({ service }) => service.instanceId,
    render: ({ service }) => <Perhaps text={service.instanceId} />,
  },
  {
    key: 'heard',
    title: 'Last heartbeat',
    width: '140px',
    sortBy: ({ service }) => (service.lastHeartbeat === null ? undefined : service.lastHeartbeat),
    render: ({ service: { lastHeartbeat } }) =>
      lastHeartbeat === null ? <span class="muted">never</span> : <Time at={lastHeartbeat} />,
  },
  {
    key: 'registered',
    title: 'Registered',
    width: '140px',
    sortBy: ({ service }) => service.registeredAt,
    render: ({ service }) => <Time at={service.registeredAt} />,
  },
  {
    key: 'updated',
    title: 'Updated',
    width: '140px',
    sortBy: ({ service }) => service.updatedAt,
    render: ({ service }) => <Time at={service.updatedAt} />,
  },
  {
    key: 'revision',
    title: 'Revision',
    width: '100px',
    align: 'end',
    sortBy: ({ service }) => service.revision,
    render: ({ service }) => <Revision of={service.revision} />,
  },
]

function Perhaps({ text }: { readonly text: string | undefined }) {
  return text === undefined ? <span class="muted">-</span> : <Foreign text={text} />
}

const DEFAULT_COLUMNS = ['name', 'health', 'version', 'namespace', 'owner', 'tags', 'endpoint', 'registered']

export const columnChoices = all.map(({ key, title }) => ({ key, title }))

/** The columns of a text such as `name,health`; the usual ones without it. Unknown names are left out, and the name always stays. */
export function chosenColumns(text: string | undefined): readonly Column<ServiceRow>[] {
  const names = new Set(['name', ...(text?.split(',') ?? DEFAULT_COLUMNS)])
  return all.filter(({ key }) => names.has(key))
}

/** The same, without the usual columns that would say nothing here: one namespace for all, or no owner. */
export function tellingColumns(
  text: string | undefined,
  rows: readonly ServiceRow[],
): readonly Column<ServiceRow>[] {
  const columns = chosenColumns(text)
  if (text !== undefined) return columns
  const [first] = rows
  const severalNamespaces = rows.some(({ service }) => service.namespace !== first?.service.namespace)
  const owned = rows.some(({ owner }) => owner !== undefined)
  return columns.filter(({ key }) => (key !== 'namespace' || severalNamespaces) && (key !== 'owner' || owned))
}

/** The text for the address after a column was switched on or off; `undefined` for the usual columns. */
export function toggledColumns(text: string | undefined, key: string): string | undefined {
  const names = new Set(chosenColumns(text).map((column) => column.key))
  if (!names.delete(key)) names.add(key)
  const chosen = all.map((column) => column.key).filter((name) => names.has(name))
  return chosen.join() === DEFAULT_COLUMNS.join() ? undefined : chosen.join()
}
