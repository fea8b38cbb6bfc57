import type { Service } from '../../api/types.ts'
import { shownText } from '../../drawing/text/shown-text.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { HealthMark } from '../../parts/health-mark.tsx'
import { Link } from '../../parts/link.tsx'
import { Panel } from '../../parts/page.tsx'
import { Time } from '../../parts/time.tsx'
import { serviceById } from '../../state/places.ts'

const columns: readonly Column<Service>[] = [
  {
    key: 'instance',
    title: 'Instance',
    sortBy: ({ instanceId }) => instanceId,
    render: ({ serviceId, instanceId, endpoint }) => (
      <Link {...serviceById(serviceId)} class="mono">
        {instanceId ?? endpoint}
      </Link>
    ),
  },
  {
    key: 'health',
    title: 'Health',
    sortBy: ({ health }) => health,
    render: ({ health }) => <HealthMark health={health} />,
  },
  {
    key: 'version',
    title: 'Version',
    sortBy: ({ version }) => version,
    render: ({ version }) => <Foreign text={version} class="mono" />,
  },
  {
    key: 'updated',
    title: 'Updated',
    sortBy: ({ updatedAt }) => updatedAt,
    render: ({ updatedAt }) => <Time at={updatedAt} />,
  },
]

interface InstancesProps {
  readonly instances: readonly Service[]
  /** The serviceId of the instance that the page shows. */
  readonly shown: string
}

/** All instances of the service, and how many run each version. */
export function Instances({ instances, shown }: InstancesProps) {
  const versions = Map.groupBy(instances, ({ version }) => version)
  return (
    <Panel
      title={`${instances.length} instances`}
      aside={[...versions].map(([version, of]) => `${of.length} x ${shownText(version)}`).join(', ')}
    >
      <DataTable
        caption="Instances of this service"
        hideCaption
        columns={columns}
        rows={instances}
        keyOf={({ serviceId }) => serviceId}
        classOf={({ serviceId }) => (serviceId === shown ? 'row-chosen' : undefined)}
      />
    </Panel>
  )
}
