/** A process that opens many connections, sends one request over each, and holds them until it ends. */
import { connect, type Socket } from 'node:net'

const [port = '', count = '', request = ''] = process.argv.slice(2)
const sockets: Socket[] = []
for (let opened = 0; opened < Number(count); opened += 200)
  sockets.push(...(await Promise.all(Array.from({ length: 200 }, open))))
process.send?.('open')

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(request)
      // A question that waits has no answer yet.
      if (request.includes('wait=')) resolve(socket)
    })
    socket.on('data', () => resolve(socket))
    socket.once('error', reject)
  })
}
