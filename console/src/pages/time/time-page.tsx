import { Icon } from '../../parts/icon.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty, Shown } from '../../parts/states.tsx'
import { registerCommand } from '../../state/commands.ts'
import { asOf, navigate, query, setQuery } from '../../state/location.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { NodeSearch } from '../graph/parts/node-search.tsx'
import { ComparePart } from './compare-part.tsx'
import { BUCKETS, bucketOf, type Density, inOrder, momentAt, RANGES, type Range } from './data/density.ts'
import { LookPart } from './look-part.tsx'
import { TimeLine } from './parts/time-line.tsx'
import './time.css'

/** Moments that people ask for, in minutes before now. */
const AGO = [
  { minutes: 10, word: '10 minutes ago' },
  { minutes: 60, word: '1 hour ago' },
  { minutes: 1_440, word: 'yesterday' },
] as const

/** The graph at any moment that is kept, and what differs between two of them. */
export function TimePage() {
  const range = (Object.keys(RANGES) as Range[]).find((one) => one === query('range')) ?? 'all'
  const { ms } = RANGES[range]
  // The query must stay the same for a while: it is what the answer is known by.
  const begin =
    ms === undefined ? undefined : new Date(Math.floor((Date.now() - ms) / 10_000) * 10_000).toISOString()
  const density = useAnswer<Density>('/changes/density', {
    query: { buckets: BUCKETS, from: begin },
    live: true,
    everyMs: 5_000,
  })
  return (
    <Page
      title="Time"
      wide
      lead="Look at the graph of any moment that is kept, and compare two of them."
      toolbar={
        <div class="graph-toolbar">
          <NodeSearch
            label="Look at one node"
            hotkey
            onPick={({ id }) => setQuery({ of: id, selected: undefined }, { replace: false })}
          />
          <label class="choice">
            The last
            <select
              class="select"
              value={range}
              onChange={({ currentTarget }) =>
                setQuery({ range: currentTarget.value === 'all' ? undefined : currentTarget.value })
              }
            >
              {Object.entries(RANGES).map(([name, { word }]) => (
                <option key={name} value={name}>
                  {word}
                </option>
              ))}
            </select>
          </label>
        </div>
      }
    >
      <Shown asked={density} what="the history">
        {(found) => <Moments density={found} />}
      </Shown>
    </Page>
  )
}

function Moments({ density }: { readonly density: Density }) {
  const given = query('from')
  const [from, to] = given === undefined ? [] : inOrder(density, given, query('to'))
  if (density.revision === 0)
    return (
      <Empty title="Nothing has been registered yet." command={registerCommand()}>
        <p>Register the first service, and this page shows every change from then on:</p>
      </Empty>
    )
  return (
    <>
      <section class="panel time-panel" aria-label="The moment">
        {from === undefined ? (
          <LookControls density={density} />
        ) : (
          <CompareControls density={density} from={from} to={to} />
        )}
      </section>
      {from === undefined ? <LookPart asOf={asOf.value} /> : <ComparePart from={from} to={to} />}
    </>
  )
}

function LookControls({ density }: { readonly density: Density }) {
  const moment = asOf.value
  const at = bucketOf(density, moment)
  const revision =
    moment !== undefined && /^\d+$/.test(moment) ? Number(moment) : (density.buckets[at]?.revision ?? 0)
  const look = (to: string | undefined) => setQuery({ asOf: to, selected: undefined }, { replace: false })
  return (
    <>
      <TimeLine
        density={density}
        thumbs={[{ label: 'The graph of', at, moment, onRest: (bucket) => look(momentAt(density, bucket)) }]}
      />
      <div class="time-buttons">
        <button
          type="button"
          class="button button-small"
          disabled={revision <= density.floorRevision}
          onClick={() => look(String(Math.max(density.floorRevision, revision - 1)))}
        >
          One change back
        </button>
        <button
          type="button"
          class="button button-small"
          disabled={revision >= density.revision}
          onClick={() => look(revision + 1 >= density.revision ? undefined : String(revision + 1))}
        >
          One change forward
        </button>
        {AGO.map(({ minutes, word }) => (
          <button
            key={minutes}
            type="button"
            class="button button-small"
            onClick={() => look(ago(density, minutes))}
          >
            {word}
          </button>
        ))}
        <button
          type="button"
          class="button button-small"
          disabled={moment === undefined}
          onClick={() => look(undefined)}
        >
          Now
        </button>
        <button
          type="button"
          class="button button-small button-primary"
          onClick={() =>
            navigate('/time', {
              from: moment ?? ago(density, 10),
              asOf: undefined,
              of: undefined,
              range: query('range'),
            })
          }
        >
          <Icon name="time" />
          {moment === undefined ? 'What changed in 10 minutes' : 'What changed since'}
        </button>
      </div>
    </>
  )
}

interface CompareControlsProps {
  readonly density: Density
  readonly from: string
  readonly to: string | undefined
}

function CompareControls({ density, from, to }: CompareControlsProps) {
  const set = (members: { from?: string; to?: string | undefined }) =>
    setQuery({ from, to, ...members, selected: undefined }, { replace: false })
  return (
    <>
      <TimeLine
        density={density}
        thumbs={[
          {
            label: 'Before',
            at: bucketOf(density, from),
            moment: from,
            onRest: (at) => set({ from: momentAt(density, at) ?? String(density.revision) }),
          },
          {
            label: 'After',
            at: bucketOf(density, to),
            moment: to,
            onRest: (at) => set({ to: momentAt(density, at) }),
          },
        ]}
      />
      <div class="time-buttons">
        {AGO.map(({ minutes, word }) => (
          <button
            key={minutes}
            type="button"
            class="button button-small"
            onClick={() => set({ from: ago(density, minutes), to: undefined })}
          >
            Since {word}
          </button>
        ))}
        <button type="button" class="button button-small" onClick={() => navigate('/time', { asOf: from })}>
          Look at the earlier moment only
        </button>
      </div>
    </>
  )
}

/** A moment some minutes ago, or the first one that is kept. As a revision: then it stays the same in a link. */
function ago(density: Density, minutes: number): string {
  const time = Date.now() - minutes * 60_000
  const kept = density.keptFrom === null ? Date.now() : Date.parse(density.keptFrom)
  if (time < kept) return String(density.floorRevision)
  return new Date(time).toISOString()
}
