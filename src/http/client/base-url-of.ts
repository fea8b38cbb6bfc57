import type { IncomingHttpHeaders } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'

const hostForm = /^(?:\[[\da-f:.]{2,45}\]|[\w.-]{1,255})(?::\d{1,5})?$/i
const prefixForm = /^(?:\/[\w.~-]+){1,16}$/

/**
 * The URL under which the client reached the coordinator, without a slash at its end. A proxy in TRUSTED_PROXIES may correct it with
 * `X-Forwarded-Proto`, `-Host` and `-Prefix`, of which the last takes precedence over BASE_PATH. It is for documents that the client gets, and never gives a right.
 *
 * @returns `undefined` for a client that named no host
 */
export function baseUrlOf({ raw, server }: FastifyRequest): string | undefined {
  const { headers, socket } = raw
  const told = server.trustedProxies.hasForwarded(raw) ? forwardedBy(headers) : {}
  const {
    scheme = socket instanceof TLSSocket ? 'https' : 'http',
    host = headers.host,
    prefix = server.basePath,
  } = told
  return host !== undefined && hostForm.test(host) ? `${scheme}://${host}${prefix}` : undefined
}

interface Forwarded {
  readonly scheme?: string | undefined
  readonly host?: string | undefined
  readonly prefix?: string | undefined
}

/** What a proxy says about the request of its client. Values that are malformed do not count. */
function forwardedBy(headers: IncomingHttpHeaders): Forwarded {
  const scheme = firstOf(headers['x-forwarded-proto'])?.toLowerCase()
  const host = firstOf(headers['x-forwarded-host'])
  const prefix = firstOf(headers['x-forwarded-prefix'])?.replace(/\/$/, '')
  return {
    ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
    ...(host !== undefined && hostForm.test(host) ? { host } : {}),
    ...(prefix !== undefined && prefixForm.test(prefix) ? { prefix } : {}),
  }
}

/** Each proxy of a chain adds a value; the first is that of the client. */
function firstOf(header: string | readonly string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(',', 1)[0]?.trim()
}
