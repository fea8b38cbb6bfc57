import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProgramOptions {
  readonly cwd?: string
  /** Asked again and again until it is so. */
  readonly isReady: () => Promise<boolean>
  /** How it is ended. @default SIGTERM */
  readonly endSignal?: NodeJS.Signals
}

/**
 * Starts a program, and waits until it is ready. It ends with the scope, and with this process.
 *
 * @throws Error with what the program wrote, if it ends before it is ready
 */
export async function startProgram(
  [file, ...args]: readonly [string, ...string[]],
  { cwd, isReady, endSignal = 'SIGTERM' }: ProgramOptions,
): Promise<AsyncDisposable> {
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += String(chunk)
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  while (!(await isReady())) {
    if (hasEnded()) throw new Error(`${file} ended:\n${log}`)
    await sleep(20)
  }
  return {
    async [Symbol.asyncDispose]() {
      process.off('exit', kill)
      if (hasEnded()) return
      const exit = once(child, 'exit')
      child.kill(endSignal)
      await exit
    },
  }
}
