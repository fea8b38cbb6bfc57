import { apiUrl } from '../../api/client.ts'
import type { Database } from '../../api/types.ts'
import { Panel } from '../../parts/page.tsx'
import { Time } from '../../parts/time.tsx'

type Replica = NonNullable<Database['replicas']>[number]

/** The replicas that answer some reads; nothing where there are none. */
export function Replicas({ database: { replicas, replicaReads } }: { readonly database: Database }) {
  if (replicas === undefined) return null
  const sum = (outcome: 'answered' | 'primary') =>
    Object.values(replicaReads ?? {}).reduce((all, counts) => all + counts[outcome], 0)
  const [answered, primary] = [sum('answered'), sum('primary')]
  return (
    <Panel
      title="Replicas"
      aside={`reads: ${answered.toLocaleString('en')} by replicas, ${primary.toLocaleString('en')} by the primary`}
    >
      <p class="muted">
        They answer questions about the past, and load the records at the start. What they cannot answer, the
        primary does.
      </p>
      <ol class="replicas" aria-label="Replicas">
        {replicas.map((replica, at) => (
          <li key={at} class="replica">
            <Line replica={replica} at={at} />
          </li>
        ))}
      </ol>
    </Panel>
  )
}

/** @param at its place in DATABASE_REPLICAS */
function Line({ replica, at }: { readonly replica: Replica; readonly at: number }) {
  const { host, role, state, answeredAt, failure } = replica
  return (
    <>
      <p class="replica-head">
        <span>
          <span class="replica-at">{at}</span> <code class="wrap">{host}</code>
          {role === 'standby' && ' standby'}
        </span>
        <NewestRead state={state} />
      </p>
      {role === 'primary' && (
        <p class="replica-trouble">This server is a primary: it was promoted, or was never a replica.</p>
      )}
      <p class="muted">
        {answeredAt === undefined ? (
          'It has never answered.'
        ) : (
          <>
            Last answer <Time at={answeredAt} />
            {lagWords(replica)}
          </>
        )}
      </p>
      {failure !== undefined && (
        <p class="wrap">
          {failure.detail}{' '}
          <a
            href={`${apiUrl('/docs/errors').href}#${failure.code}`}
            title="What it means, and how to repair it"
          >
            {failure.code}
          </a>
        </p>
      )}
    </>
  )
}

/** How far another history reaches says nothing. */
function lagWords({ state, lagRevisions, failure }: Replica): string {
  if (lagRevisions === undefined || state === 'other_history') return ''
  const number = lagRevisions.toLocaleString('en')
  const lag =
    lagRevisions === 0 ? 'up to date' : `${number} ${lagRevisions === 1 ? 'revision' : 'revisions'} behind`
  return failure === undefined ? `, ${lag}` : `, then ${lag}`
}

const newestReads: Readonly<Record<Replica['state'], string>> = {
  answered: 'answers',
  behind: 'behind',
  other_history: 'another history: not read from',
  failed: 'no answer',
  unknown: 'not asked yet',
}

function NewestRead({ state }: Pick<Replica, 'state'>) {
  const isTrouble = state === 'failed' || state === 'other_history'
  const tone = isTrouble ? 'replica-trouble' : state === 'answered' ? 'replica-answers' : 'muted'
  return <strong class={tone}>{newestReads[state]}</strong>
}
