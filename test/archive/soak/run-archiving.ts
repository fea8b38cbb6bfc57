import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ArchivingCoordinator, ArchivingOptions } from './archived-coordinator.ts'

export interface ProcessOptions extends ArchivingOptions {
  /** The SQLite file. */
  readonly file: string
  /** Whether the head is mended first, as `coordinator after-restore` does. */
  readonly mend: boolean
  /** How far its clock is off, in milliseconds. */
  readonly shiftMs: number
}

export interface Asked {
  readonly id: number
  readonly method: keyof ArchivingCoordinator
  readonly args: readonly unknown[]
}

export type Told =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }

/** A coordinator in a process of its own. */
export interface ArchivingProcess extends ArchivingCoordinator {
  /** `kill -9`. Calls without an answer fail. */
  kill(): Promise<void>
}

/** The error of a call that the killed process did not answer. */
export class Killed extends Error {}

export function runArchiving(options: ProcessOptions): ArchivingProcess {
  const script = fileURLToPath(new URL('./archiving-process.ts', import.meta.url))
  const child = fork(script, [JSON.stringify(options)], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  })
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let asked = 0
  child.on('message', (message) => {
    const told = message as Told
    const call = waiting.get(told.id)
    waiting.delete(told.id)
    if ('error' in told) call?.reject(new Error(told.error))
    else call?.resolve(told.result)
  })
  const ended = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Killed('The process has ended.'))
    waiting.clear()
  })
  const ask =
    <R>(method: keyof ArchivingCoordinator) =>
    (...args: readonly unknown[]): Promise<R> => {
      asked += 1
      const id = asked
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      waiting.set(id, { resolve, reject })
      child.send({ id, method, args } satisfies Asked, (error) => {
        if (error !== null) reject(new Killed(error.message))
      })
      return promise as Promise<R>
    }
  return {
    start: ask('start'),
    commit: ask('commit'),
    fork: ask('fork'),
    compact: ask('compact'),
    head: ask('head'),
    changes: ask('changes'),
    putToken: ask('putToken'),
    revokeToken: ask('revokeToken'),
    disturb: ask('disturb'),
    archived: ask('archived'),
    async finish() {
      await ask<void>('finish')()
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
