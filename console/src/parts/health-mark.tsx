import type { HealthWord } from '../api/types.ts'

const shapes: Readonly<Record<HealthWord, string>> = {
  up: 'M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z',
  down: 'M8 1 15 14.5H1z',
  expired: 'M2 2h12v12H2z',
  unknown: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11z',
}

/** What each word means, for the title. */
const meanings: Readonly<Record<HealthWord, string>> = {
  up: 'The last heartbeat that this coordinator received says up.',
  down: 'The last heartbeat that this coordinator received says down.',
  expired: 'This coordinator received no heartbeat within the promised time.',
  unknown: 'This coordinator has received no heartbeat since it started.',
}

/** Health as a word, with a colour and a shape of its own: a colour alone does not reach everybody. */
export function HealthMark({ health }: { readonly health: HealthWord }) {
  return (
    <span class={`health health-${health}`} title={meanings[health]}>
      <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <path d={shapes[health]} />
      </svg>
      {health}
    </span>
  )
}
