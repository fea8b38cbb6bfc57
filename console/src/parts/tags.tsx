import { Foreign } from './foreign.tsx'

interface TagsProps {
  readonly tags: readonly string[]
  /** Makes each tag a button. */
  readonly onChoose?: (tag: string) => void
  /** How many are shown, where all must stand in one line. The others are counted. @default all */
  readonly most?: number
}

export function Tags({ tags, onChoose, most = Number.POSITIVE_INFINITY }: TagsProps) {
  if (tags.length === 0) return <span class="muted">-</span>
  // A count in the place of a single one would save nothing.
  const shown = tags.length > most + 1 ? tags.slice(0, most) : tags
  const others = tags.slice(shown.length)
  return (
    <span class="tags">
      {shown.map((tag) =>
        onChoose === undefined ? (
          <span key={tag} class="tag" title={tag}>
            <Foreign text={tag} />
          </span>
        ) : (
          <button
            key={tag}
            type="button"
            class="tag"
            title={`Show services with ${tag}`}
            onClick={() => onChoose(tag)}
          >
            <Foreign text={tag} />
          </button>
        ),
      )}
      {others.length > 0 && (
        <span class="tags-more muted" title={others.join(', ')}>
          +{others.length}
        </span>
      )}
    </span>
  )
}
