import type { ErrorCode } from '../../errors.ts'
import { fits, LIMITS } from '../limits.ts'

const schemes = new Set(['http:', 'https:', 'grpc:'])
const schemeOf = /^([a-z][a-z0-9+.-]*):/i

export interface EndpointFault {
  readonly code: ErrorCode
  /** The rest of a sentence that begins with the name of the field. It never quotes the URL, which may contain a password. */
  readonly message: string
}

/** The fault of an endpoint, if it has one. It must be an absolute http, https or grpc URL without credentials. */
export function endpointFault(text: string): EndpointFault | undefined {
  if (!fits(text, LIMITS.endpointLength))
    return {
      code: 'COORD_ENDPOINT_TOO_LONG',
      message: `has more than ${LIMITS.endpointLength} characters`,
    }
  // The URL parser repairs blanks, line breaks and `http:cart`. A stored URL should need no repair.
  if (/\s/.test(text)) return { code: 'COORD_ENDPOINT_NOT_URL', message: 'is not a URL: it holds blanks' }
  if (!beginsAsUsual(text)) {
    const scheme = schemeOf.exec(text)?.[0].toLowerCase()
    if (scheme === undefined) return withoutScheme(text)
    if (!schemes.has(scheme)) return { code: 'COORD_ENDPOINT_SCHEME', message: schemeMessage(text, scheme) }
    if (!text.startsWith('//', scheme.length)) return notUrl
  }
  if (usual.test(text)) return undefined
  const url = parse(text)
  if (url === null || url.hostname === '') return notUrl
  if (text.includes('@') && (url.username !== '' || url.password !== ''))
    return { code: 'COORD_ENDPOINT_CREDENTIALS', message: 'holds a user name or a password' }
  return undefined
}

const notUrl: EndpointFault = {
  code: 'COORD_ENDPOINT_NOT_URL',
  message: 'is not a URL with a host, such as http://cart:7070',
}

/** A fast check for every registration: usual endpoints need not be parsed. */
function beginsAsUsual(text: string): boolean {
  return text.startsWith('http://') || text.startsWith('https://') || text.startsWith('grpc://')
}

/** The URL in WHATWG's serialization, in which equal URLs are equal texts. @param text an endpoint without a fault */
export function endpointHref(text: string): string {
  if (usual.test(text)) return text.indexOf('/', 'https://'.length) === -1 ? `${text}/` : text
  return lastParsed?.text === text ? lastParsed.url.href : new URL(text).href
}

/**
 * The endpoints of most services: host names in small letters, without anything that a URL parser changes or refuses, such as default
 * ports, IPv4 addresses and dots in the path. Parsing a URL takes longer than the rest of the check of a registration.
 */
const usual =
  /^https?:\/\/(?!xn--)[a-z][a-z0-9-]*(?:\.(?!xn--)[a-z][a-z0-9-]*)*(?::(?!80(?:\/|$)|443(?:\/|$))(?:[1-9]\d{0,3}|[1-5]\d{4}))?(?:\/[\w/-]*)?$/

/** The result of the last parse. The id of a service is made from the same endpoint right after the check, and uses it. */
let lastParsed: { readonly text: string; readonly url: URL } | undefined

function parse(text: string): URL | null {
  const url = URL.parse(text)
  if (url !== null) lastParsed = { text, url }
  return url
}

function withoutScheme(text: string): EndpointFault {
  return text !== '' && URL.canParse(text, 'http://host')
    ? { code: 'COORD_ENDPOINT_RELATIVE', message: 'lacks a scheme and a host, such as http://cart:7070' }
    : { code: 'COORD_ENDPOINT_NOT_URL', message: 'is not a URL' }
}

function schemeMessage(text: string, scheme: string): string {
  // Every URL parser takes `cart:` in `cart:7070` for a scheme.
  return /^[a-z0-9.-]+:\d+(\/|$)/i.test(text)
    ? 'lacks a scheme: put http:// before it'
    : `has the scheme ${scheme.slice(0, 20)} where http:, https: or grpc: is allowed`
}
