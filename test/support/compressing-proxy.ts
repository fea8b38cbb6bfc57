import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGzip } from 'node:zlib'

export interface CompressingProxy extends AsyncDisposable {
  readonly url: string
}

/**
 * A proxy that compresses every text for clients that take it, as nginx does with `gzip on`: it keeps what it gets until there is enough to
 * compress. Only `Cache-Control: no-transform` forbids it to (RFC 9111, 5.2.2.6).
 */
export async function compressingProxy(target: string): Promise<CompressingProxy> {
  const server = createServer((asked, reply) => {
    const { method, headers } = asked
    const sent = request(target + asked.url, { method, headers }, (answer) => {
      const { statusCode = 502, headers: answered } = answer
      const mayChange = !/\bno-transform\b/.test(answered['cache-control'] ?? '')
      if (!mayChange || !/^(text|application)\//.test(answered['content-type'] ?? '')) {
        reply.writeHead(statusCode, answered)
        answer.pipe(reply)
        return
      }
      const { 'content-length': _, ...others } = answered
      reply.writeHead(statusCode, { ...others, 'content-encoding': 'gzip' })
      answer.pipe(createGzip()).pipe(reply)
    })
    sent.on('error', () => reply.destroy())
    reply.on('close', () => sent.destroy())
    asked.pipe(sent)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
