import type { ConformanceBackend } from '../../conformance/backend.ts'
import { memoryBackend } from './memory.ts'
import { sqliteBackend } from './sqlite.ts'

/** Every backend that the conformance suite runs on. */
export const backends: readonly ConformanceBackend[] = [memoryBackend, sqliteBackend]
