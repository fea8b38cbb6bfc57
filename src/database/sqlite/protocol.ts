import type { Engine, EngineOptions } from './engine.ts'
import type { PackedError } from './packed-error.ts'

/** What the main thread may ask the worker for: the methods of the engine. */
export type Operation = Exclude<keyof Engine, 'close'>
export type Argument<O extends Operation> = Parameters<Engine[O]>[0]
export type Answer<O extends Operation> = Awaited<ReturnType<Engine[O]>>

/** What the worker is started with. */
export type WorkerInput = EngineOptions

/** To the worker. They are answered one after the other, in the order in which they were sent. */
export type Request =
  | { readonly number: number; readonly operation: Operation; readonly argument: unknown }
  | { readonly operation: 'close' }

/** From the worker. */
export type Response =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly error: PackedError }
