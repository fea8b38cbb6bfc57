import type { EventEmitter } from 'node:events'
import type pg from 'pg'

type Listener = (...given: readonly never[]) => void

/** What the driver uses of the stream whose bytes it reads. */
interface ByteSource {
  on(event: string, listener: Listener): unknown
}

interface DriverConnection extends EventEmitter {
  attachListeners(stream: ByteSource): void
}

/**
 * Makes a connection fail if the server sends something that is no message of PostgreSQL's protocol. The driver throws where it reads such
 * bytes, and nobody could catch that: it would end this process.
 */
export function refuseGarbage(client: pg.Client): void {
  const { connection } = client as unknown as { readonly connection: DriverConnection }
  const attach = connection.attachListeners.bind(connection)
  connection.attachListeners = (stream) => {
    const guarded = (listener: Listener): Listener => {
      return (...given) => {
        try {
          listener(...given)
        } catch {
          connection.emit('error', new Error(`the server does not speak PostgreSQL's protocol`))
        }
      }
    }
    attach({ on: (event, listener) => stream.on(event, event === 'data' ? guarded(listener) : listener) })
  }
}
