import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface SearchProps {
  readonly label: string
  readonly value: string
  readonly onInput: (text: string) => void
  readonly placeholder?: string
  /** `/` puts the cursor here. One field of a page at most. @default true */
  readonly hotkey?: boolean
  /** Enter. */
  readonly onSubmit?: (() => void) | undefined
  readonly onKeyDown?: ((event: KeyboardEvent) => void) | undefined
  /** A list of suggestions below the field. */
  readonly suggestions?: Suggestions
}

interface Suggestions {
  /** The id of the list. */
  readonly list: string
  readonly expanded: boolean
  /** The id of the suggestion that Enter takes. */
  readonly active: string | undefined
}

/** A search field. `/` focuses it from anywhere on the page, and Escape empties it. */
export function Search(props: SearchProps) {
  const { label, value, onInput, placeholder, hotkey = true, onSubmit, onKeyDown, suggestions } = props
  const field = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => {
    if (!hotkey) return undefined
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return
      event.preventDefault()
      field.current?.focus()
      field.current?.select()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [hotkey])
  return (
    <div class="search">
      <Icon name="search" />
      <input
        ref={field}
        aria-label={label}
        placeholder={placeholder ?? label}
        value={value}
        spellcheck={false}
        autocomplete="off"
        {...(suggestions === undefined ? { type: 'search' as const } : comboboxOf(suggestions))}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          onKeyDown?.(event)
          if (event.defaultPrevented) return
          if (event.key === 'Enter') onSubmit?.()
          if (event.key === 'Escape') {
            onInput('')
            if (value === '') event.currentTarget.blur()
          }
        }}
      />
      {hotkey && <kbd>/</kbd>}
    </div>
  )
}

function comboboxOf({ list, expanded, active }: Suggestions) {
  return {
    // A field of type search must not be a combobox.
    type: 'text',
    role: 'combobox',
    'aria-controls': list,
    'aria-expanded': expanded,
    'aria-autocomplete': 'list',
    'aria-activedescendant': active,
  } as const
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}
