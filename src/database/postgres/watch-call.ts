import type { Connection } from './connection.ts'
import type { Lane } from './lane.ts'

export interface Watch {
  readonly connection: Connection
  /** Where the question is asked: not on the connection that is silent. */
  readonly others: Lane
  /** How long a call may be silent, in milliseconds. */
  readonly afterMs: number
}

/**
 * Runs a call, and ends its connection where the server turns out not to work on it: after a cut that neither side was told
 * of, the request or its answer is lost, and waiting for the deadline would keep every write waiting. Behind a pooler the
 * server's session is not known, and only the deadline helps.
 */
export async function watchCall<T>(watch: Watch, call: () => Promise<T>): Promise<T> {
  if (watch.connection.facts.pooled) return call()
  const done = new AbortController()
  const watching = watchUntil(done.signal, watch)
  try {
    return await call()
  } finally {
    done.abort()
    await watching
  }
}

async function watchUntil(done: AbortSignal, { connection, others, afterMs }: Watch): Promise<void> {
  let strikes = 0
  let received = connection.bytesReceived
  for (let waitMs = afterMs; ; waitMs = strikes > 0 ? 200 : afterMs) {
    await pause(waitMs, done)
    if (done.aborted) return
    const question = isWorking(connection, others)
    const working = await Promise.race([question, aborted(done)])
    if (done.aborted) return
    // An answer on its way counts as life: the server is done with it long before a slow line is.
    const silent = connection.bytesReceived === received
    received = connection.bytesReceived
    strikes = working === false && silent ? strikes + 1 : 0
    if (strikes === 2) return connection.destroy()
  }
}

/** Whether the server works for a connection; `undefined` where nobody can say. */
async function isWorking({ facts }: Connection, others: Lane): Promise<boolean | undefined> {
  try {
    const rows = await others.use((other) =>
      other.run({
        text: 'select state from pg_stat_activity where pid = $1::integer',
        values: [String(facts.pid)],
        doing: 'looking after a silent connection',
        timeoutMs: 1_000,
      }),
    )
    const [session] = rows
    return session !== undefined && session['state'] !== 'idle'
  } catch {
    // The database cannot be asked at all: then the call fails by itself, or its deadline ends it.
    return undefined
  }
}

function pause(ms: number, done: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      done.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    done.addEventListener('abort', finish)
  })
}

function aborted(done: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (done.aborted) resolve(undefined)
    else done.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
