import { isIPv6 } from 'node:net'
import { z } from 'zod'
import type { BackendName } from './database.ts'

/** How the text of a variable is read. */
export interface Kind<T> {
  /** A text for people, used after "must be" in errors and in the column "value" of docs/settings.md. */
  readonly label: string
  readonly schema: z.ZodType<T, string>
}

/** One setting, which is one environment variable. */
export interface Setting<T> {
  readonly name: string
  /** Other names of the variable; `name` wins. */
  readonly aliases?: readonly string[]
  readonly kind: Kind<T>
  readonly unit?: string
  readonly default: NoInfer<T> | undefined
  /** Other defaults for some backends. */
  readonly defaultFor?: Partial<Record<BackendName, NoInfer<T>>>
  /** Replaces the default value in docs/settings.md. */
  readonly defaultLabel?: string
  readonly description: string
  /** Never shown, not even in part. Its text may stand in a file, which the variable `NAME_FILE` names. */
  readonly secret?: true
}

export interface SettingWithDefault<T> extends Setting<T> {
  readonly default: NoInfer<T>
}

export type SettingValue<S> =
  S extends SettingWithDefault<infer T> ? T : S extends Setting<infer T> ? T | undefined : never

export function setting<T>(name: string, rest: Omit<SettingWithDefault<T>, 'name'>): SettingWithDefault<T> {
  return { name, ...rest }
}

export function optionalSetting<T>(name: string, rest: Omit<Setting<T>, 'name' | 'default'>): Setting<T> {
  return { name, ...rest, default: undefined }
}

export function wholeNumber({ min, max }: { min: number; max: number }): Kind<number> {
  const schema = z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
  return { label: `a whole number from ${min} to ${max}`, schema }
}

export function yesOrNo(): Kind<boolean> {
  const schema = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] })
  return { label: '`true` or `false`', schema }
}

export function oneOf<const T extends string>(values: readonly T[]): Kind<T> {
  const schema = z.string().toLowerCase().pipe(z.enum(values))
  return { label: `one of ${values.map((value) => `\`${value}\``).join(', ')}`, schema }
}

/** A text that must match `pattern`. */
export function text(label: string, pattern: RegExp): Kind<string> {
  return { label, schema: z.string().regex(pattern) }
}

/** An address or name to listen on. An IPv6 address may have brackets, as in URLs. */
export function listenHost(): Kind<string> {
  const schema = z
    .string()
    .transform((value) => /^\[(.*)\]$/.exec(value)?.[1] ?? value)
    .refine((value) => isIPv6(value) || /^[\w.-]{1,253}$/.test(value))
  return { label: 'an address or a host name, without a port', schema }
}

/** Host names separated by commas, in lower case. A `*.` before a name stands for all names under it. */
export function hostNames(): Kind<readonly string[]> {
  return list('host names without scheme and port, such as `registry.example.org, *.example.net`', (name) =>
    /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(name) ? name.toLowerCase() : undefined,
  )
}

/** Origins of pages with commas between them, as browsers send them. */
export function origins(): Kind<readonly string[]> {
  return list('origins such as `https://app.example.org, http://localhost:5173`', (text) => {
    const url = plainUrl(text)
    return url?.pathname === '/' ? url.origin : undefined
  })
}

/** Some of these values, separated by commas. Each counts once. */
export function listOf<const T extends string>(values: readonly T[]): Kind<readonly T[]> {
  const schema = z.string().transform((text, context) => {
    const items = text.split(',').map((item) => item.trim())
    const found = values.filter((value) => items.some((item) => item.toLowerCase() === value.toLowerCase()))
    const isKnown = (item: string) => values.some((value) => value.toLowerCase() === item.toLowerCase())
    if (items.every((item) => item === '' || isKnown(item)) && found.length > 0) return found
    context.addIssue('an item of the list is not known')
    return z.NEVER
  })
  return {
    label: `one or more of ${values.map((value) => `\`${value}\``).join(', ')}, separated by commas`,
    schema,
  }
}

/**
 * Items separated by commas.
 *
 * @param read gives the value of an item, or `undefined` for an invalid one
 */
export function list(label: string, read: (item: string) => string | undefined): Kind<readonly string[]> {
  const schema = z.string().transform((text, context) => {
    const items = text.split(',').flatMap((item) => (item.trim() === '' ? [] : [read(item.trim())]))
    if (!items.includes(undefined)) return items as readonly string[]
    context.addIssue('an item of the list is not valid')
    return z.NEVER
  })
  return { label, schema }
}

/** Any text. Another function checks it later, together with other settings. */
export function raw(label: string): Kind<string> {
  return { label, schema: z.string() }
}

/** An `http:` or `https:` URL without credentials, query or fragment, and without a slash at its end. */
export function httpUrl(): Kind<string> {
  const schema = z.string().transform((value, context) => {
    const url = plainUrl(value)
    if (url !== undefined) return url.href.replace(/\/+$/, '')
    context.addIssue('not a plain URL')
    return z.NEVER
  })
  return { label: 'a URL such as `http://host:3000`, without credentials', schema }
}

/** An `http:` or `https:` URL without credentials, query or fragment. */
function plainUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  const isPlain = /^https?:$/.test(url?.protocol ?? '') && url?.username === '' && url.password === ''
  return isPlain && url.search + url.hash === '' ? url : undefined
}
