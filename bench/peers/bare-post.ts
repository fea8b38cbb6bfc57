/** Peer of `POST /register` in memory: node:http that parses the JSON and answers a fixed text. */
import { createServer } from 'node:http'

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString()
    const body: unknown = text === '' ? {} : JSON.parse(text)
    const answer = JSON.stringify({
      success: typeof body === 'object',
      serviceId: '00000000-0000-5000-8000-000000000000',
    })
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': answer.length,
    })
    response.end(answer)
  })
}).listen(Number(process.env['PORT']), '127.0.0.1')
