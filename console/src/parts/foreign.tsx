import { shownText } from '../drawing/text/shown-text.ts'

/**
 * A name that somebody else chose. Its characters cannot be mistaken for others, and its direction changes nothing beside it.
 */
export function Foreign({ text, class: name }: { readonly text: string; readonly class?: string }) {
  return <bdi class={name}>{shownText(text)}</bdi>
}
