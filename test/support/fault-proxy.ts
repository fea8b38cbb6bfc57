import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

/** What happens to a request and its reply. */
export type Fault =
  /** The request is passed on; the connection ends when the reply is there, which nobody gets to see. */
  | { readonly do: 'lose reply' }
  /** The same after so many bytes of the reply. */
  | { readonly do: 'cut reply'; readonly afterBytes: number }
  /** The reply trickles in. */
  | { readonly do: 'slow reply'; readonly bytesPerSecond: number }
  /** The request trickles in, in full. */
  | { readonly do: 'slow request'; readonly bytesPerSecond: number }
  /** The connection ends before the request is passed on. */
  | { readonly do: 'cut request' }
  /** The request is kept until `deliver()`, which passes it on even where the client has gone meanwhile. */
  | { readonly do: 'stall' }
  /** The request is swallowed, and the connection stays open: the other side hangs. */
  | { readonly do: 'hang' }
  /** The request is passed on; when its reply is there, these bytes go instead of it, and the connection ends. */
  | { readonly do: 'replace reply'; readonly bytes: string }
  /** These bytes are the reply; the request is not passed on. */
  | { readonly do: 'answer'; readonly bytes: string }

export interface FaultRule {
  /** Only requests whose first packet holds this text, such as `_commit`. @default every request */
  readonly matching?: string
  /** How many requests it meets. @default every one until `heal()` */
  readonly times?: number
  readonly fault: Fault
}

/**
 * A TCP proxy that damages what goes through it, for HTTP and for the PostgreSQL protocol alike: both send a request and
 * wait for its reply.
 */
export class FaultProxy {
  readonly #port: number
  readonly #targetPort: number
  readonly #links = new Set<Link>()
  #server: Server | undefined
  #rules: { rule: FaultRule; left: number }[] = []
  #frozen = false
  /** How many requests a rule has met so far. */
  faults = 0

  private constructor(port: number, targetPort: number) {
    this.#port = port
    this.#targetPort = targetPort
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(await freePort(), targetPort)
    await proxy.listen()
    return proxy
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** From now on; several rules are asked in the order in which they were added. */
  add(rule: FaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY })
  }

  /** Forgets every rule, and lets through again what was frozen. */
  heal(): void {
    this.#rules = []
    this.#frozen = false
    for (const link of this.#links) link.thaw()
  }

  /** Half-open: connections stay as they are and new ones are taken, but no byte passes any more. */
  freeze(): void {
    this.#frozen = true
    for (const link of this.#links) link.freeze()
  }

  /** Half-open for ever, as when a router forgets: no byte passes over the connections that are there; new ones work. */
  strand(): void {
    for (const link of this.#links) link.freeze()
  }

  /** How many requests are kept. */
  get stalled(): number {
    return [...this.#links].filter(({ stalled }) => stalled).length
  }

  /** Passes on what was kept. Resolves when the target has answered all of it, and has closed what nobody waits for. */
  async deliver(): Promise<void> {
    await Promise.all([...this.#links].filter(({ stalled }) => stalled).map((link) => link.deliver()))
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const link of this.#links) link.end()
  }

  /** Nobody listens any more: connections are refused, and those that are there end. */
  async refuse(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    this.cut()
    await closed
  }

  /** Listens, after `refuse` on the same port again. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer((client) => this.#link(client))
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#server = server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse()
  }

  #link(client: Socket): void {
    const link = new Link(client, connect(this.#targetPort, '127.0.0.1'), (first) => this.#faultFor(first))
    this.#links.add(link)
    link.closed.then(() => this.#links.delete(link))
    if (this.#frozen) link.freeze()
  }

  #faultFor(firstPacket: Buffer): Fault | undefined {
    const found = this.#rules.find(
      ({ rule, left }) => left > 0 && (rule.matching === undefined || firstPacket.includes(rule.matching)),
    )
    if (found === undefined) return undefined
    found.left -= 1
    this.faults += 1
    return found.rule.fault
  }
}

/** One connection of a client, and the one to the target that belongs to it. */
class Link {
  readonly #client: Socket
  readonly #target: Socket
  readonly #faultFor: (firstPacket: Buffer) => Fault | undefined
  /** What is done to the request under way; a new one begins with the first packet after a reply. */
  #fault: Fault | undefined
  #replied = true
  #replyBytes = 0
  /** What was kept of a request, until it is delivered. */
  #kept: Buffer[] | undefined
  #answered: (() => void) | undefined
  readonly #closed = Promise.withResolvers<void>()
  /** Both connections have ended. */
  readonly closed = this.#closed.promise

  constructor(client: Socket, target: Socket, faultFor: (firstPacket: Buffer) => Fault | undefined) {
    this.#client = client
    this.#target = target
    this.#faultFor = faultFor
    client.on('data', (packet) => this.#fromClient(packet))
    target.on('data', (packet) => this.#fromTarget(packet))
    client.on('end', () => {
      if (!this.stalled) target.end()
    })
    target.on('end', () => client.end())
    for (const socket of [client, target]) socket.on('error', () => undefined)
    client.on('close', () => this.#clientClosed())
    target.on('close', () => this.end())
  }

  get stalled(): boolean {
    return this.#kept !== undefined
  }

  async deliver(): Promise<void> {
    const kept = this.#kept
    if (kept === undefined) return
    this.#kept = undefined
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve
    })
    this.#target.write(Buffer.concat(kept))
    await Promise.race([answered, this.closed])
    if (!this.#client.destroyed) return
    // The server closes when it has done what it was asked to.
    this.#target.end()
    await this.closed
  }

  #clientClosed(): void {
    if (!this.stalled && this.#answered === undefined) this.end()
  }

  freeze(): void {
    this.#client.pause()
    this.#target.pause()
  }

  thaw(): void {
    this.#client.resume()
    this.#target.resume()
  }

  end(): void {
    if (!this.#client.destroyed) this.#client.resetAndDestroy()
    this.#target.destroy()
    this.#closed.resolve()
  }

  #fromClient(packet: Buffer): void {
    if (this.#replied) {
      this.#replied = false
      this.#replyBytes = 0
      this.#fault = this.#faultFor(packet)
      if (this.#fault?.do === 'cut request') return this.end()
      if (this.#fault?.do === 'answer') this.#client.end(this.#fault.bytes)
      if (this.#fault?.do === 'stall') this.#kept = []
    }
    if (this.#kept !== undefined) {
      this.#kept.push(packet)
      return
    }
    if (this.#fault?.do === 'slow request')
      trickle(packet, { from: this.#client, to: this.#target, bytesPerSecond: this.#fault.bytesPerSecond })
    else if (this.#fault?.do !== 'answer' && this.#fault?.do !== 'hang') this.#target.write(packet)
  }

  #fromTarget(packet: Buffer): void {
    this.#replied = true
    const fault = this.#fault
    this.#answered?.()
    if (fault === undefined || fault.do === 'slow request' || fault.do === 'stall') {
      if (!this.#client.destroyed) this.#client.write(packet)
    } else if (fault.do === 'lose reply') {
      this.end()
    } else if (fault.do === 'replace reply') {
      if (!this.#client.writableEnded) this.#client.end(fault.bytes)
    } else if (fault.do === 'cut reply') {
      const rest = fault.afterBytes - this.#replyBytes
      this.#replyBytes += packet.length
      if (packet.length < rest) this.#client.write(packet)
      else this.#client.write(packet.subarray(0, rest), () => this.#client.end())
    } else if (fault.do === 'slow reply') {
      trickle(packet, { from: this.#target, to: this.#client, bytesPerSecond: fault.bytesPerSecond })
    }
  }
}

interface Line {
  readonly from: Socket
  readonly to: Socket
  readonly bytesPerSecond: number
}

/** Passes a packet on bit by bit, and takes no other one meanwhile. */
function trickle(packet: Buffer, { from, to, bytesPerSecond }: Line): void {
  from.pause()
  let sent = 0
  const portion = Math.max(1, Math.ceil(bytesPerSecond / 50))
  const timer = setInterval(() => {
    if (to.destroyed || sent >= packet.length) {
      clearInterval(timer)
      from.resume()
      return
    }
    to.write(packet.subarray(sent, sent + portion))
    sent += portion
  }, 20)
}

/** The bytes of an HTTP answer, for the fault `answer`. The connection ends after it. */
export function httpAnswer(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const lines = Object.entries({
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Answer\r\n${lines.join('')}\r\n${body}`
}

/** A page as gateways send it instead of an answer. */
export function httpPage(status: number): string {
  return httpAnswer(status, `<html><head><title>${status}</title></head><body>error</body></html>`, {
    'content-type': 'text/html; charset=UTF-8',
  })
}
