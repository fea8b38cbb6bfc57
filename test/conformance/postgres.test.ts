import { postgresBackend } from '../support/backends/postgres.ts'
import { runConformance } from '../support/run-conformance.ts'

runConformance(postgresBackend(18), postgresBackend(15))
