import { connect } from 'node:net'

export interface Abandoning {
  readonly url: string
  readonly method?: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** The address that the client comes from. @default '127.0.0.1' */
  readonly from?: string
  /** How long it stays after it has asked, in milliseconds. @default 20 */
  readonly stayMs?: number
}

/** Asks, and goes away without the answer. Resolves when it has gone. */
export function abandon({
  url,
  method = 'GET',
  body,
  from = '127.0.0.1',
  stayMs = 20,
}: Abandoning): Promise<void> {
  const { hostname, port, host, pathname, search } = new URL(url)
  const text = body === undefined ? '' : JSON.stringify(body)
  const head = [
    `${method} ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    ...(text === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`]),
  ]
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), localAddress: from }, () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n${text}`)
      setTimeout(() => socket.destroy(), stayMs)
    })
    socket.on('error', reject).on('close', () => resolve())
    socket.resume()
  })
}

/** Lets so many clients ask and go away, some at a time. */
export async function abandonMany(count: number, about: (number: number) => Abandoning): Promise<void> {
  const atOnce = 100
  for (let first = 0; first < count; first += atOnce)
    await Promise.all(
      Array.from({ length: Math.min(atOnce, count - first) }, (_, at) => abandon(about(first + at))),
    )
}
