import { Actor } from '../../parts/actor.tsx'
import { Copy } from '../../parts/copy.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { HealthMark } from '../../parts/health-mark.tsx'
import { Link } from '../../parts/link.tsx'
import { Page, Panel } from '../../parts/page.tsx'
import { Shown } from '../../parts/states.tsx'
import { Revision, Time } from '../../parts/time.tsx'
import { readCommand, sendCommand } from '../../state/commands.ts'
import { query } from '../../state/location.ts'
import { graphOf, serviceNode, withoutService } from '../../state/places.ts'
import { Dependencies } from './dependencies.tsx'
import { Fields } from './fields.tsx'
import { History } from './history.tsx'
import { Instances } from './instances.tsx'
import { RawJson } from './json.tsx'
import './service.css'
import { type FoundService, pathOf, useService } from './use-service.ts'

/** One service: what it is, who needs it, and what happened to it. */
export function ServicePage() {
  const asked = useService()
  const { data } = asked
  const title = data?.service.serviceName ?? query('name') ?? 'Service'
  return (
    <Page
      title={title}
      heading={
        <>
          <Foreign text={title} />{' '}
          {data !== undefined && data.endedAt === undefined && <HealthMark health={data.service.health} />}
        </>
      }
      lead={data !== undefined && <Lead found={data} />}
      toolbar={data !== undefined && data.endedAt === undefined && <Tools found={data} />}
    >
      <Shown asked={asked} what="the service">
        {(found) => <Found found={found} />}
      </Shown>
    </Page>
  )
}

function Lead({ found: { service, revision } }: { readonly found: FoundService }) {
  return (
    <>
      {service.description !== undefined && <bdi class="service-description">{service.description}</bdi>}
      <span>
        <Foreign text={service.namespace} /> · version <Foreign text={service.version} class="mono" /> · seen
        at <Revision of={revision} />
      </span>
    </>
  )
}

function Tools({ found: { service } }: { readonly found: FoundService }) {
  const node = serviceNode(service.serviceName, service.namespace)
  return (
    <>
      <Link {...graphOf(node)} class="button">
        Show in the graph
      </Link>
      <Link {...withoutService(node)} class="button button-primary">
        What would break without it?
      </Link>
    </>
  )
}

function Found({ found }: { readonly found: FoundService }) {
  const { service, instances, endedAt } = found
  return (
    <>
      {endedAt !== undefined && (
        <p class="service-ended" role="status">
          Deregistered <Time at={endedAt.at} exact /> by <Actor actor={endedAt.actor} /> (
          <Revision of={endedAt.revision} />
          ). This is how it was last.
        </p>
      )}
      <div class="service-grid">
        <div class="stack">
          <Panel title="Registration">
            <Fields service={service} ended={endedAt !== undefined} />
          </Panel>
          {instances.length > 1 && <Instances instances={instances} shown={service.serviceId} />}
          {endedAt === undefined && <Dependencies service={service} />}
        </div>
        <div class="stack">
          <History service={service} />
          <Panel title="From a terminal">
            <Commands service={service} />
            <RawJson value={service} />
          </Panel>
        </div>
      </div>
    </>
  )
}

function Commands({ service }: Pick<FoundService, 'service'>) {
  const { serviceId, serviceName, namespace } = service
  return (
    <div class="stack-small">
      <p class="muted">Read it, by its id and by its name:</p>
      <Copy text={readCommand(pathOf(serviceId))} label="Copy the command that reads it by id" />
      <Copy
        text={readCommand('/services', { name: serviceName, namespace })}
        label="Copy the command that reads it by name"
      />
      <p class="muted">Send a heartbeat:</p>
      <Copy
        text={sendCommand('PUT', `${pathOf(serviceId)}/heartbeat`)}
        label="Copy the command that sends a heartbeat"
      />
    </div>
  )
}
