import { backends } from '../support/backends/index.ts'
import { movedHistories } from './moved-histories.ts'
import { properties } from './property.ts'

for (const backend of backends) properties(backend, 5)

for (const from of backends) for (const into of backends) if (from !== into) movedHistories({ from, into }, 5)
