import { afterAll, expect } from 'vitest'
import { replicatedBackend } from '../support/backends/postgres.ts'
import { compaction } from './compaction.ts'
import { forks } from './forks.ts'
import { histories } from './histories.ts'
import { loads } from './loads.ts'
import { moments } from './moments.ts'

// The concerns that read. replicas.long.test.ts runs all of them.
const backend = replicatedBackend()
for (const concern of [loads, histories, moments, compaction, forks]) concern(backend)

// A replica that is always behind would pass every case.
afterAll(() => expect(backend.readAnswers()).toBeGreaterThan(50))
