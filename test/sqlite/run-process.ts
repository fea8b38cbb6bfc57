import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ToParent } from './store-process.ts'

export interface StoreProcess {
  readonly child: ChildProcess
  readonly messages: readonly ToParent[]
  /** The next message that has not been read yet; fails where the process ends without one. */
  next(): Promise<ToParent>
  /** `kill -9`; waits for the end, and for everything that was sent before it. */
  kill(): Promise<void>
}

interface RunOptions {
  /** Program and arguments that start the process in another surrounding. */
  readonly through?: readonly string[]
  readonly uid?: number
  /** What follows the file. */
  readonly name?: string
}

/** Starts `store-process.ts` with a command on a file. */
export function runProcess(command: string, file: string, options: RunOptions = {}): StoreProcess {
  const script = fileURLToPath(new URL('./store-process.ts', import.meta.url))
  const [program, ...args] = [...(options.through ?? []), process.execPath, script, command, file]
  if (options.name !== undefined) args.push(options.name)
  const child = spawn(program as string, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  const messages: ToParent[] = []
  let read = 0
  child.on('message', (message) => messages.push(message as ToParent))
  const ended = once(child, 'exit')
  // What it sent in its last moment may arrive after word of its end.
  const silent = once(child, 'disconnect')
  return {
    child,
    messages,
    async next() {
      while (messages.length === read) {
        const [what] = await Promise.race([
          once(child, 'message').then(() => ['message']),
          ended.then(() => ['end']),
        ])
        if (what === 'end' && messages.length === read)
          throw new Error(`The process ${command} ended in silence.`)
      }
      read += 1
      return messages[read - 1] as ToParent
    },
    async kill() {
      child.kill('SIGKILL')
      await Promise.all([ended, silent])
    },
  }
}
