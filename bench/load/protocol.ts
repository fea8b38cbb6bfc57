import type { LoadResult } from './http-client.ts'

/** Where the requests of a round come from. Plain data: it travels to the process that makes the load. */
export type RequestSource =
  | { readonly kind: 'get'; readonly paths: readonly string[]; readonly authorization?: string | undefined }
  | { readonly kind: 'register'; readonly run: string }
  | { readonly kind: 'etcd-put'; readonly run: string }

/** A round of load, as it is asked of the load process. */
export interface LoadOrder {
  readonly port: number
  readonly connections: number
  readonly durationMs: number
  readonly warmupMs: number
  readonly source: RequestSource
}

export type LoadAnswer = { readonly result: LoadResult } | { readonly error: string }
