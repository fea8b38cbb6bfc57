import { isIPv4, isIPv6 } from 'node:net'
import { isLoopback } from '../../config/loopback.ts'

/** Names that only this machine or its private network can assign. A hostile web page cannot have one of them. */
const privateNames = /(?:^|\.)(?:localhost|internal)$/
const clusterNames = /\.svc(?:\.cluster\.local)?$/
const headerForm = /^(?:\[([^\]]*)\]|([\w.-]*))(?::(\d*))?$/
const portMax = 65_535

export interface HostRules {
  /** The setting HOST. */
  readonly host: string
  /** The setting ALLOWED_HOSTS: names, or `*.example.org` for every name with that ending. */
  readonly allowed: readonly string[]
}

/**
 * The values of the header `Host` that the coordinator answers to. This stops DNS rebinding: a hostile page lets its own name point to the
 * address of the coordinator, so that the browser takes both for the same origin. Such a request has the name of the page in `Host`.
 */
export class AllowedHosts {
  readonly #loopback: boolean
  readonly #names: ReadonlySet<string>
  readonly #suffixes: readonly string[]

  constructor({ host, allowed }: HostRules) {
    this.#loopback = isLoopback(host)
    const names = allowed.filter((name) => !name.startsWith('*.'))
    this.#names = new Set(this.#loopback ? names : [...names, host.toLowerCase()])
    this.#suffixes = allowed.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
  }

  /** @param header the value of `Host`, possibly with a port */
  allows(header: string): boolean {
    const [, address, text = '', port = ''] = headerForm.exec(header) ?? []
    if (Number(port) > portMax) return false
    if (address !== undefined) return isIPv6(address)
    // A fully qualified name may end with a dot.
    const name = text.toLowerCase().replace(/\.$/, '')
    if (name === '') return false
    if (isIPv4(name) || privateNames.test(name) || this.#names.has(name)) return true
    if (this.#suffixes.some((suffix) => name.endsWith(suffix))) return true
    return !this.#loopback && (!name.includes('.') || clusterNames.test(name))
  }
}
