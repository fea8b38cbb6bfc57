import type { EventEmitter } from 'node:events'
import type pg from 'pg'

type Listener = (bytes: Buffer) => void

/** What the driver uses of the stream whose bytes it reads. */
interface ByteSource {
  on(event: string, listener: Listener): unknown
}

interface DriverConnection extends EventEmitter {
  attachListeners(stream: ByteSource): void
}

/**
 * Makes a connection fail if the server sends something that is no message of PostgreSQL's protocol. The driver throws where it reads such
 * bytes, and nobody could catch that: it would end this process. An error or a notice without an end, it reads for ever.
 */
export function refuseGarbage(client: pg.Client): void {
  const { connection } = client as unknown as { readonly connection: DriverConnection }
  const attach = connection.attachListeners.bind(connection)
  connection.attachListeners = (stream) => {
    const guarded = (listener: Listener): Listener => {
      const messages = new MessageCheck()
      return (bytes) => {
        try {
          messages.check(bytes)
          listener(bytes)
        } catch {
          connection.emit('error', new Error(`the server does not speak PostgreSQL's protocol`))
        }
      }
    }
    attach({ on: (event, listener) => stream.on(event, event === 'data' ? guarded(listener) : listener) })
  }
}

const HEADER_BYTES = 5
const [ERROR, NOTICE] = ['E', 'N'].map((code) => code.charCodeAt(0))

/**
 * Follows where messages begin and end, and finds errors and notices that do not end as they must: with a zero after the zero of the last
 * field (PostgreSQL documentation, "Message Formats").
 */
class MessageCheck {
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  /** How many bytes of the message have not come yet. */
  #left = 0
  #lastBytes: Buffer = Buffer.alloc(0)

  check(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#headerBytes < HEADER_BYTES) {
        const copied = bytes.copy(this.#header, this.#headerBytes, at)
        at += copied
        this.#headerBytes += copied
        if (this.#headerBytes < HEADER_BYTES) return
        this.#left = this.#header.readUInt32BE(1) - 4
        if (this.#left < 0) throw new RangeError('a message is shorter than its length')
        this.#lastBytes = Buffer.alloc(0)
      }
      const part = bytes.subarray(at, at + this.#left)
      at += part.length
      this.#left -= part.length
      const [code] = this.#header
      const hasFields = code === ERROR || code === NOTICE
      if (hasFields) this.#lastBytes = Buffer.concat([this.#lastBytes, part.subarray(-2)]).subarray(-2)
      if (this.#left > 0) return
      if (hasFields && !this.#endsInOrder) throw new RangeError('a message has no end')
      this.#headerBytes = 0
    }
  }

  get #endsInOrder(): boolean {
    return this.#lastBytes.length > 0 && this.#lastBytes.every((byte) => byte === 0)
  }
}
