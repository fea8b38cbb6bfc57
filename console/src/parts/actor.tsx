import { Foreign } from './foreign.tsx'

interface ActorProps {
  /** As the journal has it: who proved to be it, and after ` as ` what the client calls itself, percent-encoded. */
  readonly actor: string
  readonly unproven?: boolean | undefined
}

/** Who did something. What a client only says about itself is marked as that. */
export function Actor({ actor, unproven = false }: ActorProps) {
  const at = actor.indexOf(' as ')
  const proven = at < 0 ? actor : actor.slice(0, at)
  return (
    <span
      class="actor"
      title={unproven ? 'Nobody proved this name: credentials were not required then.' : actor}
    >
      <Foreign text={proven} />
      {at >= 0 && (
        <span class="actor-says">
          {' '}
          calling itself <Foreign text={decoded(actor.slice(at + 4))} />
        </span>
      )}
      {unproven && <span class="actor-says"> (unproven)</span>}
    </span>
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
