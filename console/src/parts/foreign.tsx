import { shownText } from '../drawing/text/shown-text.ts'

/** A short text that somebody else chose: its unseen characters are shown, and its direction changes nothing beside it. */
export function Foreign({ text, class: name }: { readonly text: string; readonly class?: string }) {
  return <bdi class={name}>{shownText(text)}</bdi>
}
