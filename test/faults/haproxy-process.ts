import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Starts HAProxy with one of our configurations, and waits until it listens. It ends with the scope.
 *
 * @param file the configuration, as users take it
 * @param ports the ports to use in place of those of the file: `{ 3000: 41234 }`. Each must be in it
 * @param folder an empty one, for the file with these ports
 */
export async function startHaproxy(
  file: string,
  ports: Readonly<Record<number, number>>,
  folder: string,
): Promise<AsyncDisposable> {
  const text = readFileSync(file, 'utf8').replaceAll(/127\.0\.0\.1:(\d+)/g, (_all, port: string) => {
    const other = ports[Number(port)]
    if (other === undefined) throw new Error(`${file} has the port ${port}, for which the test has none.`)
    return `127.0.0.1:${other}`
  })
  const path = join(folder, 'haproxy.cfg')
  await writeFile(path, text)
  const child = spawn('haproxy', ['-db', '-f', path], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += String(chunk)
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  for (const port of listeningPorts(text))
    while (!(await answers(port))) {
      if (hasEnded()) throw new Error(`HAProxy ended:\n${log}`)
      await sleep(20)
    }
  return {
    async [Symbol.asyncDispose]() {
      process.off('exit', kill)
      if (hasEnded()) return
      const exit = once(child, 'exit')
      kill()
      await exit
    },
  }
}

function listeningPorts(text: string): number[] {
  return [...text.matchAll(/^\s*bind 127\.0\.0\.1:(\d+)/gm)].map(([, port]) => Number(port))
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
