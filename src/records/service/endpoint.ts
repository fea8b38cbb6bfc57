import { isIPv4, isIPv6 } from 'node:net'
import type { ErrorCode } from '../../errors.ts'
import { fits, LIMITS } from '../limits.ts'
import { TEMPLATE } from './template.ts'

export interface EndpointFault {
  readonly code: ErrorCode
  /** The rest of a sentence that begins with the name of the field. It never quotes the URL, which may contain a password. */
  readonly message: string
}

/** The schemes of URLs that run or show something, or name a file: nobody can connect to them. */
const REFUSED = new Set(['javascript', 'data', 'file', 'blob', 'vbscript', 'about'])
const schemeOf = /^([a-z][a-z0-9+.-]*):/i
const notUrl: EndpointFault = {
  code: 'COORD_ENDPOINT_NOT_URL',
  message: 'is not a URL with a host, such as http://cart:7070',
}
const notSocket: EndpointFault = {
  code: 'COORD_ENDPOINT_NOT_URL',
  message: 'is not the URL of a socket, such as unix:///run/cart.sock',
}
const withCredentials: EndpointFault = {
  code: 'COORD_ENDPOINT_CREDENTIALS',
  message: 'holds a user name or a password',
}

/**
 * The fault of an endpoint, if it has one. It must be an absolute URL with a host and without credentials. Its scheme may be that of any
 * transport, such as `http`, `grpc`, `tcp` or `postgres`.
 */
export function endpointFault(text: string): EndpointFault | undefined {
  if (!fits(text, LIMITS.endpointLength))
    return {
      code: 'COORD_ENDPOINT_TOO_LONG',
      message: `has more than ${LIMITS.endpointLength} characters`,
    }
  if (usualWeb.test(text) || usualOther.test(text)) return undefined
  const reading = read(text)
  return typeof reading === 'string' ? undefined : reading
}

/**
 * The canonical form of an endpoint, from which the id of a service is made: equal endpoints have the same form. What the URL standard
 * accepts as `http` and `https` has the form of that standard. Everything else has scheme and host in lower case, its port as it was sent,
 * and no slash for an empty path. A text that is no endpoint stays as it is.
 */
export function endpointHref(text: string): string {
  if (usualWeb.test(text)) return text.indexOf('/', 'https://'.length) === -1 ? `${text}/` : text
  if (usualOther.test(text)) return withoutEmptyPath(text)
  const reading = read(text)
  return typeof reading === 'string' ? reading : text
}

/**
 * The endpoints of most services: host names in small letters, without anything that a URL parser changes or refuses, such as default
 * ports, IPv4 addresses and dots in the path. Parsing a URL takes longer than the rest of the check of a registration.
 */
const usualWeb =
  /^https?:\/\/(?!xn--)[a-z][a-z0-9-]*(?:\.(?!xn--)[a-z][a-z0-9-]*)*(?::(?!80(?:\/|$)|443(?:\/|$))(?:[1-9]\d{0,3}|[1-5]\d{4}))?(?:\/[\w/-]*)?$/
const usualOther =
  /^(?!https?:|unix:|javascript:|data:|file:|blob:|vbscript:|about:)[a-z][a-z0-9+.-]*:\/\/[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)*(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?(?:\/[\w/-]*)?$/

/** Drops the slash after the host, if it is the whole path. */
function withoutEmptyPath(text: string): string {
  return text.endsWith('/') && text.indexOf('/', text.indexOf('://') + 3) === text.length - 1
    ? text.slice(0, -1)
    : text
}

/** The last text that was read, and its reading. The id of a service is made from the same endpoint right after the check. */
let last: { readonly text: string; readonly reading: string | EndpointFault } | undefined

/** The canonical form of an endpoint, or its fault. */
function read(text: string): string | EndpointFault {
  if (last?.text !== text) last = { text, reading: readParts(text) }
  return last.reading
}

function readParts(text: string): string | EndpointFault {
  // The URL parser repairs blanks, line breaks and `http:cart`. A stored URL should need no repair. A template may hold blanks: `{{ host }}`.
  if (/\s/.test(text.replaceAll(TEMPLATE, (template) => template.replaceAll(' ', ''))))
    return { code: 'COORD_ENDPOINT_NOT_URL', message: 'is not a URL: it holds blanks' }
  // The parser drops those at the end, so that two texts would be one endpoint.
  if (/\p{Cc}/u.test(text))
    return { code: 'COORD_ENDPOINT_NOT_URL', message: 'is not a URL: it holds control characters' }
  const scheme = schemeOf.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return withoutScheme(text)
  if (REFUSED.has(scheme))
    return { code: 'COORD_ENDPOINT_SCHEME', message: `has the scheme ${scheme}:, which names no transport` }
  const rest = text.slice(scheme.length + 1)
  if (scheme === 'unix') return socket(rest)
  if (!rest.startsWith('//')) return hostAndPort.test(text) ? lacksScheme : notUrl
  const isWeb = scheme === 'http' || scheme === 'https'
  const url = isWeb ? URL.parse(text) : null
  if (url !== null) return url.username === '' && url.password === '' ? url.href : withCredentials
  return other(scheme, rest.slice(2), isWeb)
}

/** Reads what follows `scheme://`. Every step takes time in proportion to the length of the text. */
function other(scheme: string, rest: string, isWeb: boolean): string | EndpointFault {
  const end = rest.search(/[/?#]/)
  const authority = end === -1 ? rest : rest.slice(0, end)
  // Some drivers take settings in the path or behind the host: `sqlserver://db;user=sa;password=...`.
  if (authority.includes('@') || password.test(rest)) return withCredentials
  const hosts = canonicalHosts(authority)
  // The URL standard reads a percent sign in the host of a web address, and has refused it.
  if (hosts === undefined || (isWeb && hosts.includes('%') && !hosts.startsWith('['))) return notUrl
  const tail = end === -1 ? '' : canonicalTail(rest.slice(end))
  return `${scheme}://${hosts}${tail.replace(/^\/(?=[?#]|$)/, '')}`
}

const password = /[?&;,](?:password|passwd|pwd|sslpassword)=[^&;,]/i

/** Path, query and fragment in the form of the URL standard. */
function canonicalTail(text: string): string {
  return new URL(`x://x${text}`).href.slice('x://x'.length)
}

function socket(rest: string): string | EndpointFault {
  if (!rest.startsWith('///')) return notSocket
  const path = canonicalTail(rest.slice(2))
  return /^\/(?:[?#]|$)/.test(path) ? notSocket : `unix://${path}`
}

/** Stands for a template while a host is read. No host contains it. */
const PLACEHOLDER = '"'
const hostName = /^(?:["\w.~!$&'()*+;=-]|[\u0080-\uffff]|%[\da-f]{2})+$/i
const parts = /^(\[[^[\]]*\]|[^:[\]]*)(?::(\d*|"))?$/

/**
 * The hosts of a URL with their ports: usually one, but drivers of databases and brokers take several, separated by commas. A template that
 * was never filled in counts as a part of a name, or as a port: the registration gets a warning.
 */
function canonicalHosts(authority: string): string | undefined {
  if (authority.includes(PLACEHOLDER)) return undefined
  const templates: string[] = []
  const plain = authority.replaceAll(TEMPLATE, (template) => {
    templates.push(template)
    return PLACEHOLDER
  })
  const hosts: string[] = []
  for (const text of plain.split(',')) {
    const [, name = '', port = ''] = parts.exec(text) ?? []
    const host = canonicalHost(name)
    if (host === undefined || (port !== PLACEHOLDER && Number(port) > 65_535)) return undefined
    hosts.push(port === '' ? host : `${host}:${port === PLACEHOLDER ? port : Number(port)}`)
  }
  return hosts.join(',').replaceAll(PLACEHOLDER, () => templates.shift() ?? '')
}

/** A name as DNS and Docker take them, an IPv4 address, or an IPv6 address with or without a zone. */
function canonicalHost(text: string): string | undefined {
  if (text.startsWith('[')) return canonicalIpv6(text.slice(1, -1))
  if (!hostName.test(text) || !/["\da-z\u0080-\uffff%]/i.test(text)) return undefined
  // Digits and dots are an address, and a wrong one is a mistake. A single label of digits may be a name.
  if (/^[\d.]+$/.test(text) && /\d\.\d/.test(text) && !isIPv4(text)) return undefined
  // Encoded letters may be those of a path, as in `postgres://%2Frun%2Fdb`.
  const name = text.includes('%') ? text : text.toLowerCase()
  // What the URL standard does to such letters.
  return name.replaceAll(/[\u0080-\uffff]+/g, (letters) => encodeURIComponent(letters.toWellFormed()))
}

function canonicalIpv6(text: string): string | undefined {
  const at = text.indexOf('%')
  const address = at === -1 ? text : text.slice(0, at)
  if (!isIPv6(address)) return undefined
  const { hostname } = new URL(`http://[${address}]`)
  if (at === -1) return hostname
  const zone = text.slice(at + 1).replace(/^25/, '')
  return /^[\w.~-]+$/.test(zone) ? `${hostname.slice(0, -1)}%25${zone}]` : undefined
}

/** Every URL parser takes `cart:` in `cart:7070` for a scheme. */
const hostAndPort = /^[\w.-]+:\d+(?:\/|$)/
const lacksScheme: EndpointFault = {
  code: 'COORD_ENDPOINT_SCHEME',
  message: 'lacks a scheme: put http://, or that of another transport such as tcp://, before it',
}

function withoutScheme(text: string): EndpointFault {
  if (hostAndPort.test(text)) return lacksScheme
  return text !== '' && URL.canParse(text, 'http://host')
    ? { code: 'COORD_ENDPOINT_RELATIVE', message: 'lacks a scheme and a host, such as http://cart:7070' }
    : { code: 'COORD_ENDPOINT_NOT_URL', message: 'is not a URL' }
}
