import { parentPort, workerData } from 'node:worker_threads'
import { toCoordinatorError } from '../../errors.ts'
import { Engine } from './engine.ts'
import { packError } from './packed-error.ts'
import type { Operation, Request, Response, WorkerInput } from './protocol.ts'

// The thread that owns the database file.
const port = parentPort
if (port === null) throw new Error('This file is the entry of a worker thread.')
const engine = new Engine(workerData as WorkerInput)

/** Migrations are asynchronous: without this, another call could get in between. */
let last: Promise<void> = Promise.resolve()
port.on('message', (request: Request) => {
  last = last.then(() => handle(request))
})

async function handle(request: Request): Promise<void> {
  if (request.operation === 'close') {
    engine.close()
    port?.close()
    return
  }
  port?.postMessage(await answer(request.number, request.operation, request.argument))
}

async function answer(number: number, operation: Operation, argument: unknown): Promise<Response> {
  try {
    const method = engine[operation] as (this: Engine, argument: unknown) => unknown
    return { number, answer: await method.call(engine, argument) }
  } catch (thrown) {
    return { number, error: packError(toCoordinatorError(thrown, 'COORD_STORE_FAULT')) }
  }
}
