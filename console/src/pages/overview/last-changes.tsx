import { feedState } from '../../api/events.ts'
import type { JournalWrite } from '../../api/types.ts'
import { Actor } from '../../parts/actor.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { Link } from '../../parts/link.tsx'
import { Panel } from '../../parts/page.tsx'
import { Empty, Shown } from '../../parts/states.tsx'
import { Revision, Time } from '../../parts/time.tsx'
import { asOf } from '../../state/location.ts'
import { graphOf, serviceById } from '../../state/places.ts'
import { writeVerb } from '../../state/write-verb.ts'
import { type ShownCommit, useLastChanges } from './use-last-changes.ts'

/** The last commits: what, when, who. New ones appear at once. */
export function LastChanges() {
  const asked = useLastChanges()
  return (
    <Panel
      title="Last changes"
      aside={asOf.value === undefined ? asked.data !== undefined && <Feed /> : 'up to the chosen moment'}
      class="last-changes"
    >
      <Shown asked={asked} what="the last changes">
        {(commits) =>
          commits.length === 0 ? (
            <Empty title="The history has no changes." />
          ) : (
            <ol class="commits">
              {commits.map((commit) => (
                <Commit key={commit.entry.revision} commit={commit} />
              ))}
            </ol>
          )
        }
      </Shown>
    </Panel>
  )
}

const feedWords = {
  live: 'live',
  waiting: 'connecting',
  lost: 'connection lost, trying again',
} as const

function Feed() {
  return (
    <span class={`feed feed-${feedState.value}`} role="status">
      <span class="feed-dot" aria-hidden="true" /> {feedWords[feedState.value]}
    </span>
  )
}

/** A commit may have a thousand writes. */
const WRITES_SHOWN = 4

function Commit({ commit: { entry, removed } }: { readonly commit: ShownCommit }) {
  const { writes, actor, unproven, at, revision } = entry
  return (
    <li class="commit">
      <p class="commit-what">
        {writes.slice(0, WRITES_SHOWN).map((write) => (
          <Write key={`${write.kind} ${write.id}`} write={write} name={removed.get(write.id)} />
        ))}
        {writes.length > WRITES_SHOWN && <span class="muted">and {writes.length - WRITES_SHOWN} more</span>}
      </p>
      <p class="commit-who">
        <Time at={at} /> by <Actor actor={actor} unproven={unproven} /> <Revision of={revision} link />
      </p>
    </li>
  )
}

function Write({ write, name }: { readonly write: JournalWrite; readonly name: string | undefined }) {
  const { op, kind, id, data } = write
  const version = data?.['version']
  const removed = op === 'delete'
  return (
    <span class="write">
      <span class={removed ? 'write-mark write-removed' : 'write-mark'}>{writeVerb(write)}</span>{' '}
      {kind !== 'service' && `${kind} `}
      {kind === 'service' ? (
        <Link {...serviceById(id)} class="service-name">
          <Foreign text={name ?? textOf(data?.['serviceName']) ?? id} />
        </Link>
      ) : kind === 'node' && !removed ? (
        <Link {...graphOf(id)}>
          <Foreign text={textOf(data?.['label']) ?? id} />
        </Link>
      ) : (
        <Foreign text={id} class="mono wrap" />
      )}
      {typeof version === 'string' && (
        <>
          {' '}
          <Foreign text={version} class="mono" />
        </>
      )}
    </span>
  )
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
