import { isIPv4, isIPv6 } from 'node:net'
import { isLoopback } from '../config/loopback.ts'

/** Names that only a private network, or this machine, gives to anybody: no page of elsewhere can have them. */
const privateNames = /(?:^|\.)(?:localhost|internal)$/
const clusterNames = /\.svc(?:\.cluster\.local)?$/
const headerForm = /^(?:\[([^\]]*)\]|([\w.-]*))(?::\d*)?$/
const rememberedMax = 1_000

export interface HostRules {
  /** The setting HOST. */
  readonly host: string
  /** The setting ALLOWED_HOSTS: names, or `*.example.org` for every name under one. */
  readonly allowed: readonly string[]
}

/**
 * The values of `Host` under which a coordinator is asked. A page of elsewhere whose name was made to point to this machine (DNS
 * rebinding) has another one, and would otherwise be of the same origin as the coordinator.
 */
export class AllowedHosts {
  readonly #loopback: boolean
  readonly #names: ReadonlySet<string>
  readonly #suffixes: readonly string[]
  /** Values that were found to be allowed: clients send the same ones again and again. */
  readonly #remembered = new Set<string>()

  constructor({ host, allowed }: HostRules) {
    this.#loopback = isLoopback(host)
    const names = allowed.filter((name) => !name.startsWith('*.'))
    this.#names = new Set(this.#loopback ? names : [...names, host.toLowerCase()])
    this.#suffixes = allowed.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
  }

  /** @param header the value of `Host`, with its port where it has one */
  allows(header: string): boolean {
    if (this.#remembered.has(header)) return true
    if (!this.#judge(header)) return false
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear()
    this.#remembered.add(header)
    return true
  }

  #judge(header: string): boolean {
    const [, address, text = ''] = headerForm.exec(header) ?? []
    if (address !== undefined) return isIPv6(address)
    // A name may end with the dot of the root.
    const name = text.toLowerCase().replace(/\.$/, '')
    if (name === '') return false
    if (isIPv4(name) || privateNames.test(name) || this.#names.has(name)) return true
    if (this.#suffixes.some((suffix) => name.endsWith(suffix))) return true
    return !this.#loopback && (!name.includes('.') || clusterNames.test(name))
  }
}
