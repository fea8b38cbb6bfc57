import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { isLoopback } from './loopback.ts'
import { Secret } from './secret.ts'
import { type Kind, list } from './setting.ts'

/** A secret that is sent in a header, or that signs. */
export function secret(label: string, pattern: RegExp): Kind<Secret> {
  return {
    label,
    schema: z
      .string()
      .regex(pattern)
      .transform((text) => new Secret(text)),
  }
}

/** A moment, as epoch milliseconds. Without a zone, its meaning would depend on the machine. */
export function moment(): Kind<number> {
  const schema = z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .pipe(z.number())
  return { label: 'a time with its zone, such as `2026-11-30T08:00:00Z`', schema }
}

/** Networks such as `10.0.0.0/8`, separated by commas. A single address stands for itself. */
export function networks(): Kind<readonly string[]> {
  return list('addresses and networks such as `10.0.0.0/8, 2001:db8::/32, 192.0.2.7`', (text) => {
    const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
    const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : undefined
    const length = Number(prefix ?? bits)
    return bits !== undefined && length <= bits ? `${address.toLowerCase()}/${length}` : undefined
  })
}

/** `supabase`, or the URL in the claim `iss`. It is compared as it stands, with its slash at the end. */
export function jwtIssuer(): Kind<string> {
  const schema = z.string().refine((text) => {
    const url = URL.parse(text)
    const isPlain = /^https?:\/\/[\x21-\x7e]+$/.test(text) && url?.username === '' && url.password === ''
    return text === 'supabase' || (isPlain && url.search + url.hash === '')
  })
  return { label: '`supabase`, or a URL without credentials, query or fragment', schema }
}

/** Where the public keys are. Whoever can change them on their way can sign anything. */
export function keysUrl(): Kind<string> {
  const schema = z.string().transform((text, context) => {
    const url = URL.parse(text)
    if (url !== null && isProtected(url) && url.username + url.password + url.hash === '') return url.href
    context.addIssue('not a protected URL')
    return z.NEVER
  })
  return { label: 'a URL that begins with `https://`, or with `http://` on this machine', schema }
}

/** Whether nobody between here and there can change what is read from a URL. */
export function isProtected({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')))
}

/** A path of members with dots between them. */
export function claimPath(): Kind<string> {
  const schema = z.string().regex(/^[^\s\p{Cc}]{1,255}$/u)
  return { label: 'the name of a claim, or a path such as `app_metadata.coordinator`', schema }
}

/** The path of a file. A key in its place is refused, because errors show the path. */
export function filePath(): Kind<string> {
  const schema = z.string().regex(/^(?!.*-----BEGIN)[^\p{Cc}]{1,4096}$/u)
  return { label: 'the path of a file in PEM form', schema }
}
