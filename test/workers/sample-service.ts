import { parentPort } from 'node:worker_threads'
import { CoordinatorError, type ErrorOptions } from '../../src/errors.ts'
import { serveProcess, serveThread } from '../../src/workers/serve-requests.ts'

/** Runs in a thread or in a process, whichever starts it. */
export class SampleService {
  readonly #log: string[] = []

  /** Later calls wait for it. */
  async note(text: string): Promise<readonly string[]> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#log.push(text)
    return this.#log
  }

  refuse({ cause, ...options }: ErrorOptions & { readonly cause: string }): never {
    throw new CoordinatorError('COORD_STORE_BUSY', { ...options, cause: new RangeError(cause) })
  }

  fail(message: string): never {
    throw new TypeError(message)
  }

  end(): never {
    process.exit(3)
  }

  close(): void {
    // A thread closes what it holds; this service holds nothing.
  }
}

const options = { fallback: 'COORD_STORE_FAULT' } as const
if (parentPort === null) serveProcess(new SampleService(), options)
else serveThread(new SampleService(), options)
