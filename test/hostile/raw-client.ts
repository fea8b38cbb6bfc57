import { connect, type Socket } from 'node:net'

/** A client that sends a request and reads the answer as it is told to: not at all, slowly, or at once. */
export class RawClient implements Disposable {
  readonly socket: Socket
  /** The first bytes of the answer. */
  head = ''
  bytes = 0
  /** The last bytes of the answer. */
  tail = ''
  closed = false

  /** @param from an address of this machine, for clients that are not the same to the coordinator */
  constructor(
    url: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    { from = '127.0.0.1' }: { readonly from?: string } = {},
  ) {
    const port = Number(new URL(url).port)
    this.socket = connect({ port, host: '127.0.0.1', localAddress: from })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
      if (this.head.length < 1_000) this.head += chunk.toString('latin1')
      this.tail = `${this.tail}${chunk.subarray(-200).toString('latin1')}`.slice(-200)
    })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}\r\n`)
  }

  /** Reads nothing from now on. */
  pause(): this {
    this.socket.pause()
    return this
  }

  resume(): this {
    this.socket.resume()
    return this
  }

  get status(): number | undefined {
    const status = /^HTTP\/1\.1 (\d+)/.exec(this.head)?.[1]
    return status === undefined ? undefined : Number(status)
  }

  get contentLength(): number | undefined {
    const length = /content-length: (\d+)/i.exec(this.head)?.[1]
    return length === undefined ? undefined : Number(length)
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

export function clients(count: number, make: (at: number) => RawClient): RawClient[] & Disposable {
  const all = Array.from({ length: count }, (_, at) => make(at))
  return Object.assign(all, {
    [Symbol.dispose]() {
      for (const client of all) client[Symbol.dispose]()
    },
  })
}
