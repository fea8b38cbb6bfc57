import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections, and to servers that ask for any port: Linux from 32,768 on, others from 49,152
 * on. One of those could be taken between this answer and the start of the program that it is for, or while that program is away.
 */
const [FIRST, END] = [15_000, 32_768] as const

const given = new Set<number>()

/** A port of this machine on which nobody listens now, given once in this process. It has five digits. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') return false
    throw thrown
  }
  server.close()
  await once(server, 'close')
  return true
}
