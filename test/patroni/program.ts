import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeSharedMemory } from '../support/shared-memory.ts'

/** PostgreSQL refuses to run as root. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** The folder of a cluster. Every process of the cluster has its working folder in it, and is found by that. Linux only. */
export class Home implements AsyncDisposable {
  readonly path: string
  readonly #watch: ChildProcess

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'coordinator-patroni-'))
    this.own(this.path)
    this.#watch = endWithThisProcess(this.path)
  }

  /** Gives a file or folder to the user that the programs run as. */
  own(path: string): void {
    if (user.uid !== undefined) chownSync(path, user.uid, user.gid)
  }

  /** Kills every process of the cluster, also one that is stopped, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Patroni may start a server in the very moment in which it is killed.
    for (const end = performance.now() + 10_000; performance.now() < end; await sleep(50)) {
      const left = processesIn(this.path)
      if (left.length === 0) break
      signalAll(left, 'SIGKILL')
    }
    for (const name of readdirSync(this.path)) removeSharedMemory(join(this.path, name, 'data'))
    this.#watch.kill('SIGKILL')
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** A program that writes its output to a file, and can be started again after its end. */
export class Program {
  readonly #folder: string
  readonly #command: readonly [string, ...string[]]
  #child: ChildProcess | undefined

  constructor(folder: string, command: readonly [string, ...string[]]) {
    this.#folder = folder
    this.#command = command
  }

  start(): void {
    const log = openSync(this.#logFile, 'a')
    const [file, ...args] = this.#command
    this.#child = spawn(file, args, {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], HOME: this.#folder, LANG: 'C.UTF-8' },
      stdio: ['ignore', log, log],
      detached: true,
      ...user,
    })
    closeSync(log)
  }

  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.#child ?? {}
    return exitCode === null && signalCode === null ? pid : undefined
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    if (this.#child === undefined || this.pid === undefined) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  /** The end of what it has written. */
  get lastWords(): string {
    const text = existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : 'not started'
    // What Patroni writes every second while nothing happens.
    const lines = text.split('\n').filter((line) => !/INFO: (no action|Lock owner)/.test(line))
    return `${this.#command.join(' ')}:\n${lines.join('\n').slice(-8_000)}`
  }

  get #logFile(): string {
    return join(this.#folder, `${basename(this.#command[0])}.log`)
  }
}

/** Process ids of everything whose working folder is a folder, or one inside it. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const place = workingFolder(pid)
      return place === folder || place?.startsWith(`${folder}/`)
    })
    .map(Number)
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal)
    } catch (thrown) {
      // A session may end by itself between the list and the signal.
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
    }
}

/** `undefined` where the process has ended, or is somebody else's. */
function workingFolder(pid: string): string | undefined {
  try {
    // The data folder of a server may have been replaced since.
    return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '')
  } catch {
    return undefined
  }
}

/**
 * A test process that is killed must not leave a cluster behind: a shell waits for the end of a pipe that only this process holds, kills what
 * works in the folder, and removes it together with the shared memory of its servers.
 */
function endWithThisProcess(folder: string): ChildProcess {
  const script = `read -r _
    for _ in 1 2 3; do
      for each in /proc/[0-9]*; do
        case "$(readlink "$each/cwd")" in "$1" | "$1"/*) kill -9 "\${each#/proc/}";; esac
      done
      sleep 0.3
    done
    for each in "$1"/*/data/postmaster.pid; do ipcrm -m "$(sed -n '7s/.* //p' "$each")"; done
    rm -rf "$1"`
  const watch = spawn('/bin/sh', ['-c', script, 'sh', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watch.unref()
  ;(watch.stdin as Socket | null)?.unref()
  return watch
}
