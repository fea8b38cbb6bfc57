import { hasUnseen, visible } from '../../text/skeleton.ts'
import { LIMITS } from '../limits.ts'
import type { Warning } from '../warning.ts'
import { endpointHref } from './endpoint.ts'
import type { Registration } from './service.ts'
import { TEMPLATE } from './template.ts'

/** Printable ASCII without blanks, and without what a template begins with. Nearly every text of a registration is like this. */
const plain = /^[!-#%-;=-z|-~]*$/
/** Where a server listens on all addresses of its machine. */
const wildcard = /^[^/]*\/\/(?:0\.0\.0\.0|\[::\])(?=[:/?#,]|$)/
/** Hosts that may be a wildcard address, in any form. */
const numericHost = /\/\/[\d[]/

const none: readonly never[] = []

/**
 * Warns of texts that were accepted, but that nobody can have meant: templates that were never filled in, addresses that only a server can
 * use, and names with characters that nobody sees.
 *
 * @param max the largest number of warnings
 */
export function oddTexts(
  { serviceName, version, endpoint, healthCheck, instanceId = '', dependencies }: Registration,
  max: number = LIMITS.warnings,
): readonly Warning[] {
  const found: Warning[] = []
  checkName('/serviceName', serviceName, found)
  checkTemplate('/version', version, found)
  checkTemplate('/endpoint', endpoint, found)
  if (numericHost.test(endpoint) && wildcard.test(endpointHref(endpoint))) found.push(wildcardHost)
  checkTemplate('/healthCheck', healthCheck, found)
  checkName('/instanceId', instanceId, found)
  for (let index = 0; index < dependencies.length && found.length < max; index += 1) {
    const dependency = dependencies[index] as Registration['dependencies'][number]
    // To make the path takes longer than the check.
    if (typeof dependency === 'string') {
      if (!plain.test(dependency)) checkName(`/dependencies/${index}`, dependency, found)
    } else {
      checkName(`/dependencies/${index}/serviceName`, dependency.serviceName, found)
      checkTemplate(`/dependencies/${index}/version`, dependency.version ?? '', found)
    }
  }
  return found.length === 0 ? none : found.slice(0, max)
}

function checkName(path: string, name: string, found: Warning[]): void {
  if (plain.test(name)) return
  checkTemplate(path, name, found)
  if (!hasUnseen(name)) return
  const message = `The name has blanks or characters that nobody sees: ${visible(name)}. A search for the visible text does not find it.`
  found.push({ code: 'look_alike', path, message })
}

function checkTemplate(path: string, text: string, found: Warning[]): void {
  if (plain.test(text)) return
  const [template] = text.match(TEMPLATE) ?? []
  if (template === undefined) return
  const message = `${visible(template, 64)} looks like a template that was never filled in: set its value where the client gets its settings.`
  found.push({ code: 'looks_unfilled', path, message })
}

const wildcardHost: Warning = {
  code: 'looks_unfilled',
  path: '/endpoint',
  message:
    'The host is an address to listen on, which leads no other machine to the service: send the name or the address at which others reach it.',
}
