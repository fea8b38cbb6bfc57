/** An image as a file names it: `quay.io/org/cart:1.4@sha256:...`. */
export interface ImageReference {
  /** Without tag and digest. */
  readonly name: string
  readonly tag?: string
  readonly digest?: string
}

/** Parses the name of an image. A `:` before the last `/` belongs to the port of a registry. */
export function parseImage(text: string): ImageReference {
  const [named = '', digest] = text.split('@', 2)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const [name, tag] = colon < 0 ? [named, ''] : [named.slice(0, colon), named.slice(colon + 1)]
  return { name, ...(tag !== '' && { tag }), ...(digest !== undefined && digest !== '' && { digest }) }
}

/** The version of what a file does not give a version. It is not a number, so no range of versions is judged by it. */
export const UNVERSIONED = 'unversioned'
