import type { Reply, Request } from './messages.ts'

/** A worker thread or a child process that answers requests. */
export interface Peer {
  /** Id of the process; absent for a thread. */
  readonly pid?: number | undefined
  send(request: Request): void
  /** Keeps this process alive. */
  ref(): void
  unref(): void
  /** Asks it to end. Resolves when it has ended, with the error that ended it, if there was one. */
  end(): Promise<unknown>
}

/** The way in which a peer ended, or the reason why it cannot be reached. */
export interface PeerEnd {
  readonly cause?: unknown
  readonly outOfMemory?: boolean
}

/** A listener that gets the replies of a peer, and the news of its end. */
export interface PeerListener {
  onReply(reply: Reply): void
  /** May be called more than once. */
  onEnd(end: PeerEnd): void
}

/** The module of a worker beside another module: TypeScript in the source, JavaScript in the package. */
export function workerModule(beside: string, name: string): URL {
  return new URL(`./${name}.${beside.endsWith('.ts') ? 'ts' : 'js'}`, beside)
}
