import type { Service } from '../../api/types.ts'
import { shownJson } from '../../drawing/text/shown-text.ts'
import { FieldRow as Field } from '../../parts/fields.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { OuterLink } from '../../parts/link.tsx'
import { Tags } from '../../parts/tags.tsx'
import { duration, Time } from '../../parts/time.tsx'
import { navigate } from '../../state/location.ts'
import { now } from '../../state/now.ts'

/** What a registration says, and what the coordinator adds to it. */
export function Fields({ service, ended }: { readonly service: Service; readonly ended: boolean }) {
  const { tags = [], capabilities = [], metadata = {}, healthCheck, instanceId } = service
  return (
    <dl class="fields">
      <Field name="Endpoint">
        <OuterLink value={service.endpoint} />
      </Field>
      {healthCheck !== undefined && (
        <Field name="Health check">
          <OuterLink value={healthCheck} />
        </Field>
      )}
      {!ended && (
        <Field name="Heartbeat">
          <Heartbeat service={service} />
        </Field>
      )}
      <Field name="Tags">
        <Tags tags={tags} onChoose={(tag) => navigate('/services', { q: tag })} />
      </Field>
      {capabilities.length > 0 && (
        <Field name="Capabilities">
          <Tags tags={capabilities} />
        </Field>
      )}
      {Object.entries(metadata).map(([key, value]) => (
        <Field key={key} name={key} title={`metadata.${key}`}>
          {typeof value === 'string' ? (
            <OuterLink value={value} />
          ) : (
            <code class="wrap">{shownJson(value)}</code>
          )}
        </Field>
      ))}
      <Field name="Status">
        {service.status === 'active' ? (
          'active'
        ) : (
          <span title="It has sent no migrationFile, which is optional.">pending_migration</span>
        )}
      </Field>
      {instanceId !== undefined && (
        <Field name="Instance">
          <Foreign text={instanceId} class="mono wrap" />
        </Field>
      )}
      <Field name="Registered">
        <Time at={service.registeredAt} exact />
      </Field>
      <Field name="Updated">
        <Time at={service.updatedAt} exact />
      </Field>
      <Field name="Id">
        <code class="wrap">{service.serviceId}</code>
      </Field>
    </dl>
  )
}

function Heartbeat({ service: { lastHeartbeat, ttlSeconds } }: { readonly service: Service }) {
  const promise =
    ttlSeconds === undefined
      ? 'The service has promised none.'
      : `The service promised one every ${duration(ttlSeconds)}.`
  if (lastHeartbeat === null) return <>This coordinator has received none. {promise}</>
  return (
    <>
      This coordinator received one {duration((now.value - Date.parse(lastHeartbeat)) / 1_000)} ago. {promise}
    </>
  )
}
