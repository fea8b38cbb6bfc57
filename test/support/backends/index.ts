import type { ConformanceBackend } from '../../conformance/backend.ts'
import { memoryBackend } from './memory.ts'
import { postgresBackend } from './postgres.ts'
import { sqliteBackend } from './sqlite.ts'
import { supabaseBackend } from './supabase.ts'

/** Every backend that the conformance suite runs on. */
export const backends: readonly ConformanceBackend[] = [
  memoryBackend,
  sqliteBackend,
  postgresBackend(18),
  postgresBackend(15),
  supabaseBackend(),
]
