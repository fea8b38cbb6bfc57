import { computed } from '@preact/signals'
import { freshness, silentSince } from '../state/freshness.ts'
import { health } from '../state/health.ts'
import { asOf, hereWith, namespace } from '../state/location.ts'
import { now } from '../state/now.ts'
import { Foreign } from './foreign.tsx'
import { Icon } from './icon.tsx'
import { Link } from './link.tsx'
import { duration, exactTime, Time } from './time.tsx'
import { Words } from './words.tsx'

/** Why what is on the page may not be the present. The first that is true is the most important one. */
const fault = computed(() => {
  const silent = silentSince.value
  const state = health.value
  if (silent !== undefined)
    return {
      title: 'The coordinator does not answer.',
      text: `What you see is from ${exactTime(new Date(silent))} or before. The console tries again by itself.`,
    }
  if (state?.status === 'starting')
    return {
      title: 'The coordinator is starting.',
      text: state.storage.reason ?? 'It is loading the records from the database.',
      repair: state.storage.repair,
    }
  const degraded = freshness.value?.degraded
  if (degraded !== undefined || state?.status === 'degraded') {
    const age = freshness.value?.ageSeconds
    return {
      title: 'The database does not answer. The records may be old, and writes are refused.',
      text: [
        age === undefined ? '' : `The database confirmed them ${duration(age)} ago.`,
        state?.storage.reason ?? degraded ?? '',
      ].join(' '),
      repair: state?.storage.repair,
    }
  }
  if (state?.status === 'copy' || state?.status === 'frozen')
    return {
      title:
        state.status === 'copy'
          ? 'This coordinator serves a copy: the database follows another one, and takes no writes.'
          : 'The database takes no writes: another one takes its place.',
      text: state.storage.reason ?? '',
      repair: state.storage.repair,
    }
  if (state !== undefined && state.memory.state !== 'free')
    return {
      title: `The memory of the coordinator is ${state.memory.state}.`,
      text: `It uses ${state.memory.usedMiB} of ${state.memory.limitMiB} MiB, and refuses writes that need more.`,
      repair: 'Give it a larger heap with NODE_OPTIONS=--max-old-space-size=MIB, or deregister services.',
    }
  return undefined
})

/**
 * Tells on every page, above everything, that the records may be old, are from the past, or are not all there are. Nothing is shown if they are
 * the present, and all.
 */
export function StaleBar() {
  const told = fault.value
  const moment = asOf.value
  const only = namespace.value
  return (
    <>
      {told !== undefined && (
        <div class="bar bar-fault" role="alert">
          <Icon name="alert" />
          <p>
            <strong>{told.title}</strong> {told.text}
            {'repair' in told && told.repair !== undefined && (
              <span class="bar-repair">
                <Words text={told.repair} />
              </span>
            )}
          </p>
        </div>
      )}
      {moment !== undefined && (
        <div class="bar bar-past" role="status">
          <Icon name="time" />
          <p>
            <strong>You are looking at the past:</strong> <Moment text={moment} />
          </p>
          <Link {...hereWith({ asOf: undefined })} class="button button-small">
            Back to now
          </Link>
        </div>
      )}
      {only !== undefined && (
        <div class="bar bar-past" role="status">
          <Icon name="services" />
          <p>
            <strong>You are looking at one namespace:</strong> <Foreign text={only} />
          </p>
          <Link {...hereWith({ namespace: undefined })} class="button button-small">
            Show all namespaces
          </Link>
        </div>
      )}
    </>
  )
}

function Moment({ text }: { readonly text: string }) {
  return /^\d+$/.test(text) ? <>revision {text}</> : <Time at={text} exact />
}

/** `3 min` since a moment in epoch milliseconds. */
export function ageOf(at: number): string {
  return duration((now.value - at) / 1_000)
}
