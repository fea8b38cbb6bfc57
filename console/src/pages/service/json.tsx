import { shownJson } from '../../drawing/text/shown-text.ts'
import { Copy } from '../../parts/copy.tsx'

/** A value as JSON, folded away until somebody wants it. */
export function RawJson({ value, title = 'Raw JSON' }: { readonly value: unknown; readonly title?: string }) {
  return (
    <details class="raw-json">
      <summary>{title}</summary>
      <Copy text={shownJson(value, 2)} label={`Copy: ${title}`} />
    </details>
  )
}
