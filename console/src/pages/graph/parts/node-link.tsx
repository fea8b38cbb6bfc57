import { shownText } from '../../../drawing/text/shown-text.ts'

export interface NodeLinkProps {
  readonly id: string
  readonly label: string
  readonly onSelect: (id: string) => void
}

/** Selects a node in the drawing. */
export function NodeLink({ id, label, onSelect }: NodeLinkProps) {
  return (
    <button type="button" class="node-link" title={shownText(id)} onClick={() => onSelect(id)}>
      {shownText(label)}
    </button>
  )
}
