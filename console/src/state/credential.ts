import { signal } from '@preact/signals'
import type { ApiError } from '../api/api-error.ts'

/** The token that every request sends. It is only in memory, unless the user wants it to stay in this tab. */
export const token = signal<string | undefined>(undefined)

/** Why the coordinator demands a credential; `undefined` as long as it does not. */
export const demanded = signal<ApiError | undefined>(undefined)
