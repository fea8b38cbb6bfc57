import { memoryBackend } from '../support/backends/memory.ts'
import { sqliteBackend } from '../support/backends/sqlite.ts'
import { runConformance } from '../support/run-conformance.ts'

runConformance(memoryBackend, sqliteBackend)
