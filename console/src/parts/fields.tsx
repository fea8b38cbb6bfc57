import type { ComponentChildren } from 'preact'

interface FieldRowProps {
  readonly name: string
  readonly title?: string | undefined
  readonly children: ComponentChildren
}

/** One line of a list of facts: `<dl class="fields">`. */
export function FieldRow({ name, title, children }: FieldRowProps) {
  return (
    <div class="field-row">
      <dt title={title}>
        <bdi>{name}</bdi>
      </dt>
      <dd>{children}</dd>
    </div>
  )
}
