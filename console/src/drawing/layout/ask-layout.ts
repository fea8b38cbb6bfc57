import type { Layout, LayoutWanted } from './layout.ts'
import type { LayoutAnswer } from './layout-worker.ts'

/** The longest time for one layout, in milliseconds. A drawing that takes longer is better read as a table. */
const LONGEST_MS = 15_000

export class LayoutFailed extends Error {}

/**
 * Asks a worker for a layout. A worker works on one layout at a time: if the signal comes, it is ended, and the next question gets a
 * new one.
 *
 * @throws LayoutFailed if the worker cannot start, fails, or takes longer than 15 seconds
 */
export async function askLayout(wanted: LayoutWanted, signal: AbortSignal): Promise<Layout> {
  signal.throwIfAborted()
  const worker = spare ?? newWorker()
  spare = undefined
  const question = ++asked
  const { promise, resolve, reject } = Promise.withResolvers<Layout>()
  const ended = new AbortController()
  const listening = { signal: ended.signal }
  worker.addEventListener(
    'message',
    ({ data }: MessageEvent<LayoutAnswer>) => {
      if (data.question !== question) return
      if ('layout' in data) resolve(data.layout)
      else reject(new LayoutFailed(data.fault))
    },
    listening,
  )
  // A worker that the policy of the server blocks says nothing else.
  worker.addEventListener(
    'error',
    ({ message }) => reject(new LayoutFailed(message || 'The browser did not start the worker.')),
    listening,
  )
  signal.addEventListener('abort', () => reject(signal.reason), listening)
  const timer = setTimeout(
    () => reject(new LayoutFailed(`The layout takes longer than ${LONGEST_MS / 1_000} seconds.`)),
    LONGEST_MS,
  )
  worker.postMessage({ question, wanted })
  try {
    const layout = await promise
    // Two drawings of one page may have asked at the same time.
    if (spare === undefined) spare = worker
    else worker.terminate()
    return layout
  } catch (error) {
    worker.terminate()
    throw error
  } finally {
    clearTimeout(timer)
    ended.abort()
  }
}

let asked = 0
/** A worker without work. To start one takes longer than most layouts. */
let spare: Worker | undefined

function newWorker(): Worker {
  return new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' })
}
