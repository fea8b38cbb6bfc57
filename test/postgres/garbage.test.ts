import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { Connection } from '../../src/database/postgres/connection.ts'
import { withDefaults } from '../../src/database/postgres/options.ts'
import { targetOf } from '../support/backends/postgres.ts'

/** A server that answers the first packet of every client with these bytes, and then says nothing. */
async function serverThatAnswers(bytes: Buffer): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write(bytes)).resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

function message(code: string, body = ''): Buffer {
  const head = Buffer.alloc(5)
  head.write(code)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, Buffer.from(body, 'latin1')])
}

/** What a server sends to a client that it lets in without a password. */
const letIn = [
  message('R', '\x00\x00\x00\x00'),
  message('K', '\x00\x00\x00\x01\x00\x00\x00\x02'),
  message('Z', 'I'),
]
const oneColumn = message('T', `\x00\x01f\x00${'\x00'.repeat(18)}`)

it.each([
  ['a login without a kind', [message('R')]],
  ['a login that goes on before it began', [message('R', '\x00\x00\x00\x0bgarbage')]],
  ['half a key', [message('R', '\x00\x00\x00\x00'), message('K', '\x00')]],
  ['columns without a number', [...letIn, message('T')]],
  ['a row without a number', [...letIn, oneColumn, message('D')]],
  ['a row that nobody asked for', [message('D', '\x00\x01\x00\x00\x00\x01a')]],
  ['an error without an end', [message('E')]],
  ['an error whose last field has no end', [message('E', 'SFATAL\x00Mtext')]],
  ['a notice without an end', [...letIn, message('N', 'SNOTICE\x00')]],
  ['a message that is shorter than its length', [Buffer.from('E\x00\x00\x00\x00', 'latin1')]],
  ['a row that is cut off', [...letIn, oneColumn, message('D', '\x00\x05\x00\x00\x00\x01a')]],
])('a server that sends %s fails the connection, and not the process', async (_, messages) => {
  await using server = await serverThatAnswers(Buffer.concat(messages))
  const target = targetOf(`postgres://user:secret@127.0.0.1:${server.port}/db?sslmode=disable`)
  const [host] = target.hosts
  if (host === undefined) throw new Error('The URL has no host.')
  const opening = Connection.open(host, withDefaults({ target, connectTimeoutMs: 2_000 }))
  await expect(opening).rejects.toMatchObject({
    code: expect.stringMatching(/^COORD_STORE_(UNAVAILABLE|AUTH)$/),
  })
})
