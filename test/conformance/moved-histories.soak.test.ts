import { backends } from '../support/backends/index.ts'
import { movedHistories } from './moved-histories.ts'

/** Histories from each backend into each other one. */
const rounds = Number(process.env['TEST_ROUNDS'] ?? 50)

for (const from of backends) for (const into of backends) movedHistories({ from, into }, rounds)
