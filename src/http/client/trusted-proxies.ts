import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net'
import { plainAddress } from '../../text/client-of.ts'

/** The most entries of `X-Forwarded-For` that are looked at, from its end. */
const entriesMax = 20
/** How many judged addresses are remembered. There are few proxies, and a judgement takes several microseconds. */
const judgedMax = 1_000

/**
 * The proxies whose `X-Forwarded-For` counts, from TRUSTED_PROXIES. The address that it names is for the log, the author of a write where
 * nobody proves who they are, and limits. It never gives anybody a right.
 */
export class TrustedProxies {
  readonly #trusted = new BlockList()
  readonly #judged = new Map<string, boolean>()
  readonly #isEmpty: boolean

  /** @param networks in the form `10.0.0.0/8` or `fd00::/8`, or single addresses */
  constructor(networks: readonly string[] = []) {
    for (const network of networks) {
      const [address = '', length] = network.split('/')
      const [family, bits] = isIPv4(address) ? (['ipv4', 32] as const) : (['ipv6', 128] as const)
      this.#trusted.addSubnet(address, length === undefined ? bits : Number(length), family)
    }
    this.#isEmpty = networks.length === 0
  }

  /**
   * The address of the client: that of the connection, or if this is a trusted proxy, the last address in `X-Forwarded-For` that is not one.
   * If all are trusted, it is the first of them. Entries before a malformed one do not count.
   *
   * @returns an IPv4 or IPv6 address; 'unknown' if the connection was closed before anybody asked
   */
  addressOf({ socket, headers }: IncomingMessage): string {
    let address = plainAddress(socket.remoteAddress ?? 'unknown')
    const forwarded = headers['x-forwarded-for']
    if (this.#isEmpty || forwarded === undefined || !this.#trusts(address)) return address
    // Node joins several headers of this name with commas.
    const list = String(forwarded)
    let end = list.length
    for (let looked = 0; looked < entriesMax && end >= 0; looked += 1) {
      const from = list.lastIndexOf(',', end - 1)
      const entry = readEntry(list.slice(from + 1, end))
      if (entry === undefined) return address
      address = entry
      if (!this.#trusts(address)) return address
      // `lastIndexOf` takes a negative start for 0, so that a comma at the very beginning must end the walk here.
      end = from === 0 ? -1 : from
    }
    return address
  }

  /** Whether a request comes over a connection from a trusted proxy. */
  hasForwarded({ socket }: IncomingMessage): boolean {
    return (
      !this.#isEmpty && socket.remoteAddress !== undefined && this.#trusts(plainAddress(socket.remoteAddress))
    )
  }

  #trusts(address: string): boolean {
    const known = this.#judged.get(address)
    if (known !== undefined) return known
    const [bare = ''] = address.split('%', 1)
    const trusted = this.#trusted.check(bare, isIPv4(bare) ? 'ipv4' : 'ipv6')
    if (this.#judged.size >= judgedMax) this.#judged.clear()
    this.#judged.set(address, trusted)
    return trusted
  }
}

/** An address in `X-Forwarded-For`. Some proxies add the port, and some put IPv6 addresses in brackets. */
const entryForm = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d{1,5})?$/i

function readEntry(text: string): string | undefined {
  const entry = text.trim()
  const [, bracketed, dotted] = entryForm.exec(entry) ?? []
  if (dotted !== undefined) return isIPv4(dotted) ? dotted : undefined
  const address = bracketed ?? entry
  if (!isIPv6(address) || address.includes('%')) return undefined
  // The same address can be written in many ways, and must not count as several clients.
  return plainAddress(new SocketAddress({ address, family: 'ipv6' }).address)
}
