import { renderErrors } from './errors.ts'

/** A file whose text comes from the code. */
export interface GeneratedDocument {
  /** From the root of the repository. */
  readonly path: string
  render(): string | Promise<string>
}

export const documents: readonly GeneratedDocument[] = [{ path: 'docs/errors.md', render: renderErrors }]
