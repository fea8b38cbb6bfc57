interface TagsProps {
  readonly tags: readonly string[]
  /** Makes each tag a button. */
  readonly onChoose?: (tag: string) => void
}

export function Tags({ tags, onChoose }: TagsProps) {
  if (tags.length === 0) return <span class="muted">-</span>
  return (
    <span class="tags">
      {tags.map((tag) =>
        onChoose === undefined ? (
          <span key={tag} class="tag" title={tag}>
            <bdi>{tag}</bdi>
          </span>
        ) : (
          <button
            key={tag}
            type="button"
            class="tag"
            title={`Show services with ${tag}`}
            onClick={() => onChoose(tag)}
          >
            <bdi>{tag}</bdi>
          </button>
        ),
      )}
    </span>
  )
}
