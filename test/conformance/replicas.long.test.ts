import { replicatedBackend } from '../support/backends/postgres.ts'
import { runConformance } from '../support/run-conformance.ts'

runConformance(replicatedBackend())
