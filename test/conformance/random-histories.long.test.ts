import { backends } from '../support/backends/index.ts'
import { properties } from './property.ts'

for (const backend of backends) properties(backend, 5)
