import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface CopyProps {
  /** What is copied. Make commands with `shell`, which quotes. `undefined`: it is not offered, and that is said. */
  readonly text: string | undefined
  /** The name of the button for screen readers. @default 'Copy the command' */
  readonly label?: string
}

/** A text to copy, with its button. */
export function Copy({ text, label = 'Copy the command' }: CopyProps) {
  const [outcome, setOutcome] = useState<'copied' | 'selected' | undefined>()
  const place = useRef<HTMLElement>(null)
  useEffect(() => {
    if (outcome === undefined) return undefined
    const timer = setTimeout(() => setOutcome(undefined), 2_500)
    return () => clearTimeout(timer)
  }, [outcome])
  if (text === undefined)
    return (
      <p class="copy-refused">
        No command is offered: a value contains characters that cannot be seen or that change the direction of
        the text.
      </p>
    )
  return (
    <div class="copy">
      <code ref={place} class="copy-text">
        {text}
      </code>
      <button
        type="button"
        class="button button-small copy-button"
        aria-label={label}
        onClick={() => {
          void copied(text, place.current).then(setOutcome)
        }}
      >
        <Icon name={outcome === 'copied' ? 'check' : 'copy'} />
        <span aria-live="polite" class={outcome === undefined ? 'copy-word' : undefined}>
          {outcome === 'copied' ? 'Copied' : outcome === 'selected' ? 'Press Ctrl+C' : 'Copy'}
        </span>
      </button>
    </div>
  )
}

/** Browsers permit the clipboard only on https and on this machine. Elsewhere the text is selected. */
async function copied(text: string, place: HTMLElement | null): Promise<'copied' | 'selected'> {
  try {
    await navigator.clipboard.writeText(text)
    return 'copied'
  } catch {
    if (place !== null) window.getSelection()?.selectAllChildren(place)
    return 'selected'
  }
}
