import type { ComponentChildren } from 'preact'
import type { ApiError } from '../api/api-error.ts'
import { apiUrl } from '../api/client.ts'
import { health } from '../state/health.ts'
import type { Asked } from '../state/use-answer.ts'
import { Copy } from './copy.tsx'
import { Icon } from './icon.tsx'
import { Words } from './words.tsx'

/** Shown while there is no answer yet. It appears after a moment, so that quick answers do not flicker. */
export function Loading({ what }: { /** Such as `the services`. */ readonly what: string }) {
  return (
    <p class="state state-loading" role="status">
      <span class="spinner" aria-hidden="true" />
      Loading {what} ...
    </p>
  )
}

interface FailureProps {
  readonly error: ApiError
  readonly onRetry?: (() => void) | undefined
}

/** A fault: what happened, what to do, and its code. */
export function Failure({ error, onRetry }: FailureProps) {
  // The bar above the page tells it once, with what to do. When the records are there, everything is asked again.
  if (error.code === 'COORD_NOT_LOADED' && health.value?.status === 'starting')
    return <Loading what="the records" />
  const documented = error.code.startsWith('COORD_')
  return (
    <div class="state state-failure" role="alert">
      <Icon name="alert" />
      <div>
        <p class="state-title">{error.detail}</p>
        <p>
          <Words text={error.hint} />
        </p>
        <p class="state-code">
          {documented ? (
            <a href={`${apiUrl('/docs/errors').href}#${error.code}`}>{error.code}</a>
          ) : (
            error.code
          )}
          {onRetry !== undefined && (
            <button type="button" class="button button-small" onClick={onRetry}>
              Try again
            </button>
          )}
        </p>
      </div>
    </div>
  )
}

interface EmptyProps {
  readonly title: string
  /** Why it is empty, or what would be here. */
  readonly children?: ComponentChildren
  /** A command that fills it; `undefined` if a value in it must not be pasted into a shell. */
  readonly command?: string | undefined
}

/** Shown where nothing is, with the command that brings the first thing. */
export function Empty({ title, children, command }: EmptyProps) {
  return (
    <div class="state state-empty">
      <p class="state-title">{title}</p>
      {children}
      {command !== undefined && <Copy text={command} />}
    </div>
  )
}

interface ShownProps<T> {
  readonly asked: Asked<T>
  /** What is loaded, for the words: `the services`. */
  readonly what: string
  readonly children: (data: T) => ComponentChildren
}

/** The answer to a question, or that it loads, or why there is none. An older answer stays below a fault. */
export function Shown<T>({ asked, what, children }: ShownProps<T>) {
  const { data, error, retry } = asked
  // Whether the coordinator answers at all is told once, at the top of the page.
  const told = error !== undefined && !(error.status === 0 && data !== undefined)
  return (
    <>
      {told && <Failure error={error} onRetry={retry} />}
      {data === undefined ? error === undefined && <Loading what={what} /> : children(data)}
    </>
  )
}
