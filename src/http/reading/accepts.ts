export const NDJSON_TYPE = 'application/x-ndjson'

const ndjsonTypes = [NDJSON_TYPE, 'application/ndjson', 'application/jsonl']

/** Whether a client prefers JSON lines to one document. */
export function prefersNdjson(accept: string | undefined): boolean {
  if (accept === undefined || !/ndjson|jsonl/i.test(accept)) return false
  const lines = Math.max(...ndjsonTypes.map((type) => qualityOf(accept, type)))
  return lines > 0 && lines >= qualityOf(accept, 'application/json')
}

/** Whether a person with a browser sent the request. */
export function prefersHtml(accept = ''): boolean {
  return qualityOf(accept, 'text/html') > qualityOf(accept, 'application/json')
}

/** Whether a client wants events as they happen. */
export function prefersEventStream(accept = ''): boolean {
  return qualityOf(accept, 'text/event-stream') > qualityOf(accept, 'application/json')
}

/** Whether a client reads gzip. @param header `Accept-Encoding` */
export function takesGzip(header = ''): boolean {
  const codings = mediaRanges(header)
  const { quality = 0 } =
    codings.find(({ type }) => type === 'gzip') ?? codings.find(({ type }) => type === '*') ?? {}
  return quality > 0
}

function qualityOf(accept: string, wanted: string): number {
  return mediaRanges(accept).find(({ type }) => type === wanted)?.quality ?? 0
}

/** The media types in an `Accept` header, with their preferences. */
export function mediaRanges(accept: string): { readonly type: string; readonly quality: number }[] {
  return accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    return { type, quality: Number.isFinite(quality) ? quality : 0 }
  })
}
