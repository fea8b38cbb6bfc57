import type { ComponentChildren } from 'preact'
import { Foreign } from './foreign.tsx'

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
        <Foreign text={name} />
      </dt>
      <dd>{children}</dd>
    </div>
  )
}
