import type { z } from 'zod'
import { isExactNumber } from '../exact-number.ts'
import { LIMITS } from '../limits.ts'
import { endpointFault } from './endpoint.ts'
import type { registrationSchema } from './service-schema.ts'

/** Metadata of so many code units is far below its limit in bytes, whatever has to be escaped. */
const METADATA_PLAIN_UNITS = 2_000
const METADATA_PLAIN_KEYS = 64

/**
 * Looks whether a value is a registration with nothing remarkable about it, as nearly all are: known fields only, small and
 * flat metadata, no migration file. `undefined` says nothing against it: the schema knows everything, and says what is wrong.
 * This takes a fifth of the time, and registering is what a coordinator does most.
 */
export function asPlainRegistration(input: unknown): z.input<typeof registrationSchema> | undefined {
  if (!isPlainObject(input)) return undefined
  for (const key in input) if (!isPlainField(key, input[key])) return undefined
  const { serviceName, version, endpoint } = input
  if (serviceName === undefined || version === undefined || endpoint === undefined) return undefined
  return input as z.input<typeof registrationSchema>
}

function isPlainField(key: string, value: unknown): boolean {
  switch (key) {
    case 'serviceName':
      return isPlainText(value, LIMITS.nameLength)
    case 'version':
      return isPlainText(value, LIMITS.versionLength)
    case 'endpoint':
      return isStorableText(value, LIMITS.endpointLength) && endpointFault(value) === undefined
    case 'healthCheck':
      // A URL is judged by the schema.
      return isStorableText(value, LIMITS.healthCheckLength) && value.startsWith('/')
    case 'description':
      return isStorableText(value, LIMITS.descriptionLength)
    case 'metadata':
      return isPlainMetadata(value)
    case 'tags':
      return isPlainList(value, LIMITS.tags, isPlainLabel)
    case 'capabilities':
      return isPlainList(value, LIMITS.capabilities, isPlainLabel)
    case 'dependencies':
      return isPlainList(value, LIMITS.dependencies, isPlainDependency)
    case 'instanceId':
      return isPlainText(value, LIMITS.instanceIdLength)
    case 'ttlSeconds':
      return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LIMITS.ttlSeconds
    default:
      return false
  }
}

/** A text that any database stores, no longer than so many code units; characters are never more than those. */
function isStorableText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max && value.isWellFormed() && !value.includes('\0')
}

/** The same with something in it that is not blank: a leading letter or digit shows it fastest. */
function isPlainText(value: unknown, max: number): value is string {
  return isStorableText(value, max) && value.charCodeAt(0) > 0x20 && value.charCodeAt(0) < 0x7f
}

function isPlainLabel(value: unknown): boolean {
  return isPlainText(value, LIMITS.labelLength)
}

function isPlainList(value: unknown, max: number, isPlainItem: (item: unknown) => boolean): boolean {
  if (!Array.isArray(value) || value.length > max) return false
  for (let index = 0; index < value.length; index += 1) if (!isPlainItem(value[index])) return false
  return true
}

function isPlainDependency(value: unknown): boolean {
  if (typeof value === 'string') return isPlainText(value, LIMITS.nameLength)
  if (!isPlainObject(value) || value['serviceName'] === undefined) return false
  for (const key in value) {
    const max =
      key === 'serviceName'
        ? LIMITS.nameLength
        : key === 'version'
          ? LIMITS.dependencyVersionLength
          : key === 'type'
            ? LIMITS.dependencyTypeLength
            : -1
    if (!isPlainText(value[key], max)) return false
  }
  return true
}

function isPlainMetadata(value: unknown): boolean {
  if (!isPlainObject(value)) return false
  let units = 0
  let keys = 0
  for (const key in value) {
    if (key === '__proto__' || key === 'constructor' || !isStorableText(key, METADATA_PLAIN_UNITS))
      return false
    const member = value[key]
    if (typeof member === 'string') {
      if (!isStorableText(member, METADATA_PLAIN_UNITS)) return false
      units += member.length
    } else if (typeof member === 'number') {
      if (!isExactNumber(member)) return false
    } else if (typeof member !== 'boolean' && member !== null) return false
    units += key.length
    keys += 1
  }
  return units <= METADATA_PLAIN_UNITS && keys <= METADATA_PLAIN_KEYS
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
