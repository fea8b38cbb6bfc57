export const NDJSON_TYPE = 'application/x-ndjson'

const ndjsonTypes = new Set([NDJSON_TYPE, 'application/ndjson', 'application/jsonl'])

/** Whether a client prefers JSON lines to one document. */
export function prefersNdjson(accept: string | undefined): boolean {
  if (accept === undefined || !/ndjson|jsonl/i.test(accept)) return false
  const ranges = mediaRanges(accept)
  const lines = Math.max(
    0,
    ...ranges.filter(({ type }) => ndjsonTypes.has(type)).map(({ quality }) => quality),
  )
  const document = ranges.find(({ type }) => type === 'application/json')?.quality ?? 0
  return lines > 0 && lines >= document
}

/** Whether a person with a browser sent the request. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const qualityOf = (wanted: string) => mediaRanges(accept).find(({ type }) => type === wanted)?.quality ?? 0
  return qualityOf('text/html') > qualityOf('application/json')
}

/** Whether a client wants events as they happen. */
export function prefersEventStream(accept: string | undefined): boolean {
  if (accept === undefined || !/event-stream/i.test(accept)) return false
  const qualityOf = (wanted: string) => mediaRanges(accept).find(({ type }) => type === wanted)?.quality ?? 0
  return qualityOf('text/event-stream') > qualityOf('application/json')
}

/** The media types in an `Accept` header, with their preferences. */
export function mediaRanges(accept: string): { readonly type: string; readonly quality: number }[] {
  return accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    return { type, quality: Number.isFinite(quality) ? quality : 0 }
  })
}
