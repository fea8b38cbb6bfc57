/** A process of its own that holds many readers of `/changes`: both ends in one would need twice the open files. */
import { connect, type Socket } from 'node:net'

export interface ReadersOrder {
  readonly port: number
  readonly readers: number
}

/** `connected`: all are served. `reached`: all have seen the service, the last of them so long after the order to look. */
export type ReadersNews =
  | { readonly connected: true }
  | { readonly lastMs: number; readonly name: string }
  | { readonly error: string }

/** Connections that are opened at the same time. */
const OPENING = 200

process.once('message', (order: ReadersOrder) => {
  run(order).catch((error: unknown) => tell({ error: String(error) }))
})

async function run({ port, readers }: ReadersOrder): Promise<void> {
  const waiting = new Map<string, { left: number; startedAt: number }>()
  const sockets: Socket[] = []
  for (let opened = 0; opened < readers; opened += OPENING)
    sockets.push(
      ...(await Promise.all(Array.from({ length: Math.min(OPENING, readers - opened) }, () => open(port)))),
    )
  for (const socket of sockets)
    socket.on('data', (chunk: Buffer) => {
      const now = performance.now()
      for (const [name, state] of waiting) {
        if (!chunk.includes(`"serviceName":"${name}"`)) continue
        state.left -= 1
        if (state.left > 0) continue
        waiting.delete(name)
        tell({ lastMs: now - state.startedAt, name })
      }
    })
  process.on('message', ({ name }: { readonly name: string }) => {
    waiting.set(name, { left: readers, startedAt: performance.now() })
    tell({ connected: true })
  })
  tell({ connected: true })
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /changes HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n'),
    )
    socket.once('data', () => resolve(socket))
    socket.once('error', reject)
  })
}

function tell(news: ReadersNews): void {
  process.send?.(news)
}
