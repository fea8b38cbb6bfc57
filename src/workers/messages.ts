import type { PackedError } from './packed-error.ts'

/** The names of the methods of a service that others may call. Each takes at most one argument. */
export type MethodOf<S> = {
  [M in keyof S]: S[M] extends (argument: never) => unknown ? M : never
}[keyof S] &
  string

export type ArgumentOf<S, M extends MethodOf<S>> = S[M] extends (...parameters: infer P) => unknown
  ? P[0]
  : never

export type ResultOf<S, M extends MethodOf<S>> = S[M] extends (...parameters: never) => infer R
  ? Awaited<R>
  : never

/** A call of a method. A message without `method` means that nobody waits for the answer to this call any more. */
export interface Request {
  readonly id: number
  readonly method?: string
  readonly argument?: unknown
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PackedError }
