import { listEtag, readPrecondition, recordEtag, serviceEtag } from '../../src/http/reading/etag.ts'
import type { WriteContext } from '../../src/live/writing/write-context.ts'
import type { ListedSet } from '../../src/registry/registry.ts'

/** The precondition of a write, read from its headers as the server reads them. @throws COORD_HEADER_INVALID */
export function conditional(headers: {
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
}): Pick<WriteContext, 'precondition'> {
  const { ifMatch, ifNoneMatch } = headers
  const precondition = readPrecondition({
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
  })
  return precondition === undefined ? {} : { precondition }
}

type Shown = Parameters<typeof recordEtag>[0] | Parameters<typeof serviceEtag>[0] | ListedSet

/** The ETag that the server sends with an answer of the domain. */
export function etagOf(answer: Shown): string {
  if ('digest' in answer) return listEtag(answer, 'page')
  return 'health' in answer ? serviceEtag(answer) : recordEtag(answer)
}
