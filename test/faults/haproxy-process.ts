import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { startProgram } from '../support/start-program.ts'

/**
 * Starts HAProxy with one of our configurations, and waits until it listens. It ends with the scope.
 *
 * @param file the configuration, as users take it
 * @param places the ports to use in place of those of the file: `{ 3000: 41234 }`. Each must be in it
 * @param folder an empty one, for the file with these ports
 */
export async function startHaproxy(
  file: string,
  places: Readonly<Record<number, number>>,
  folder: string,
): Promise<AsyncDisposable> {
  const text = readFileSync(file, 'utf8').replaceAll(/127\.0\.0\.1:(\d+)/g, (_all, port: string) => {
    const other = places[Number(port)]
    if (other === undefined) throw new Error(`${file} has the port ${port}, for which the test has none.`)
    return `127.0.0.1:${other}`
  })
  const path = join(folder, 'haproxy.cfg')
  await writeFile(path, text)
  const ports = listeningPorts(text)
  return startProgram(['haproxy', '-db', '-f', path], {
    isReady: async () => (await Promise.all(ports.map(answers))).every((isThere) => isThere),
    endSignal: 'SIGKILL',
  })
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
