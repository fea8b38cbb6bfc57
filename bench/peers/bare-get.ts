/** Peer of `GET /services/:id`: node:http that sends the same head and bytes to everybody. Takes them from BARE_ANSWER. */
import { createServer } from 'node:http'

const { headers, body } = JSON.parse(process.env['BARE_ANSWER'] ?? '') as {
  headers: Record<string, string>
  body: string
}
const bytes = Buffer.from(body)

createServer((_request, response) => {
  response.writeHead(200, headers)
  response.end(bytes)
}).listen(Number(process.env['PORT']), '127.0.0.1')
