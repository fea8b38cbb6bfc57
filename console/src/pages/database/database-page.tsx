import type { Database } from '../../api/types.ts'
import { FieldRow as Row } from '../../parts/fields.tsx'
import { Page, Panel } from '../../parts/page.tsx'
import { Empty, Shown } from '../../parts/states.tsx'
import { duration, exactTime, Revision, Time } from '../../parts/time.tsx'
import { Words } from '../../parts/words.tsx'
import { caller, hasScope } from '../../state/session.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { Backups } from './backups.tsx'
import './database.css'
import { Connections } from './connections.tsx'
import { Latencies } from './latencies.tsx'
import { Replicas } from './replicas.tsx'
import { LastErrors, RefusedRecords } from './troubles.tsx'

const POLL_MS = 3_000

/** The database as the coordinator sees it: its state, its speed, its faults, its backups. */
export function DatabasePage() {
  const permitted = hasScope('metrics')
  const asked = useAnswer<Database>(permitted ? '/database' : undefined, { pollMs: POLL_MS })
  return (
    <Page
      title="Database"
      lead={
        asked.at !== undefined && (
          <>
            As it was <Time at={asked.at} />. The page asks again every {POLL_MS / 1_000} seconds.
          </>
        )
      }
    >
      {!permitted && caller.value !== undefined ? (
        <Empty title="This token may not see the database.">
          <p>
            It needs the scope <code>metrics</code>. Sign out, and sign in with another token.
          </p>
        </Empty>
      ) : (
        <Shown asked={asked} what="the state of the database">
          {(database) => <Parts database={database} />}
        </Shown>
      )}
    </Page>
  )
}

function Parts({ database }: { readonly database: Database }) {
  return (
    <div class="database-grid">
      <div class="stack">
        <Panel title="State">
          <State database={database} />
        </Panel>
        <Panel title="Backups">
          <Backups backup={database.backup} />
        </Panel>
        <Connections database={database} />
      </div>
      <div class="stack">
        <Panel title="Latency by operation" aside="the newest calls of each">
          <Latencies latency={database.latency} />
        </Panel>
        <Replicas database={database} />
        <Panel title="Last errors">
          <LastErrors errors={database.lastErrors} />
        </Panel>
        {database.refusedCount > 0 && <RefusedRecords database={database} />}
      </div>
    </div>
  )
}

const stateWords: Readonly<Record<Database['status'], string>> = {
  memory: 'there is no database, and everything is in memory',
  connecting: 'connecting',
  loading: 'loading the records',
  ready: 'works',
  degraded: 'does not answer',
  copy: 'a copy of another database',
  frozen: 'takes no writes',
}

function State({ database }: { readonly database: Database }) {
  const { status, reason, repair, notice, server } = database
  const isBad = status === 'degraded' || status === 'frozen'
  const isStarting = status === 'connecting' || status === 'loading'
  const tone = isBad ? 'database-state-bad' : database.durable && !isStarting ? '' : 'database-state-warn'
  return (
    <>
      <p class={`database-state ${tone}`}>
        <strong>{database.backend}</strong>: {stateWords[status]}, since{' '}
        <time dateTime={new Date(database.since).toISOString()}>{exactTime(new Date(database.since))}</time>
      </p>
      {reason !== undefined && (
        <p class="database-reason">
          <Words text={reason} />
        </p>
      )}
      {repair !== undefined && (
        <p class="database-repair">
          What to do: <Words text={repair} />
        </p>
      )}
      {notice !== undefined && <p class="database-reason">{notice}</p>}
      <dl class="fields">
        <Row name="Durable">
          {database.durable ? 'yes: acknowledged writes survive the coordinator' : 'no'}
        </Row>
        <Row name="Revision served">
          <Revision of={database.viewRevision} />
          {database.lagRevisions > 0 &&
            ` (${database.lagRevisions.toLocaleString('en')} behind the database)`}
        </Row>
        <Row name="Age of the records">
          {isStarting
            ? 'not read yet'
            : database.ageMs < 1_000
              ? `${database.ageMs} ms`
              : duration(database.ageMs / 1_000)}
        </Row>
        <Row name="Oldest kept revision">
          <Revision of={database.floorRevision} />
        </Row>
        <Row name="Waiting writes">{database.waitingWrites.toLocaleString('en')}</Row>
        {database.loadedRecords !== undefined && (
          <Row name="Loaded so far">{database.loadedRecords.toLocaleString('en')} records</Row>
        )}
        <Row name="Memory">
          {database.memory.usedMiB.toLocaleString('en')} of {database.memory.limitMiB.toLocaleString('en')}{' '}
          MiB{database.memory.state !== 'free' && ` (${database.memory.state})`}
        </Row>
        {server !== undefined && <Server server={server} />}
        {database.serverUnknown !== undefined && <Row name="Server">{database.serverUnknown}</Row>}
        {database.lineage !== undefined && (
          <Row name="History">
            <code class="wrap">{database.lineage}</code>
          </Row>
        )}
      </dl>
      {server !== undefined && <Details details={server.details} />}
    </>
  )
}

/** What only some databases tell, in the words of the API. */
function Details({ details }: Pick<NonNullable<Database['server']>, 'details'>) {
  return (
    <details class="details">
      <summary>Details of the server</summary>
      <dl class="fields">
        {Object.entries(details).map(([name, value]) => (
          <Row key={name} name={name}>
            {typeof value === 'number' ? value.toLocaleString('en') : String(value)}
          </Row>
        ))}
      </dl>
    </details>
  )
}

function Server({ server }: { readonly server: NonNullable<Database['server']> }) {
  return (
    <>
      <Row name="Server">
        {server.serverVersion} (asked <Time at={server.inspectedAt} />)
      </Row>
      <Row name="Schema">version {server.schemaVersion}</Row>
    </>
  )
}
