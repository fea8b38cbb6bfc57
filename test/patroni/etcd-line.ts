import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../support/free-port.ts'

/**
 * The line from one Patroni to etcd. Patroni asks etcd for the addresses of its servers and uses these from then on: the line puts its own
 * address in the place of that of etcd, so that nothing goes around it.
 */
export class EtcdLine {
  readonly #etcdPort: number
  readonly #sockets = new Set<Socket>()
  readonly port: number
  #server: Server | undefined

  private constructor(port: number, etcdPort: number) {
    this.port = port
    this.#etcdPort = etcdPort
  }

  static async start(etcdPort: number): Promise<EtcdLine> {
    const line = new EtcdLine(await freePort(), etcdPort)
    await line.mend()
    // An address of another length would make the length of an answer wrong.
    if (String(line.port).length !== String(etcdPort).length) throw new Error('The ports differ in length.')
    return line
  }

  /** Ends every connection, and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** Lets through again, on the same port. */
  async mend(): Promise<void> {
    const server = createServer((client) => this.#link(client))
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.#server = server
  }

  #link(client: Socket): void {
    const etcd = connect(this.#etcdPort, '127.0.0.1')
    for (const socket of [client, etcd]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        etcd.destroy()
      })
    }
    client.on('data', (chunk) => etcd.write(chunk))
    etcd.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      client.write(text.replaceAll(`127.0.0.1:${this.#etcdPort}`, `127.0.0.1:${this.port}`), 'latin1')
    })
  }
}
