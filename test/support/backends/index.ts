import type { ConformanceBackend } from '../../conformance/backend.ts'
import { memoryBackend } from './memory.ts'

/** Every backend that the conformance suite runs on. */
export const backends: readonly ConformanceBackend[] = [memoryBackend]
