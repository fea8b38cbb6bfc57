import { afterAll, expect } from 'vitest'
import { backends } from '../support/backends/index.ts'
import { describeStore } from './index.ts'

const counts = new Map<string, number>()

for (const backend of backends)
  describeStore(backend, (cases) => {
    counts.set(backend.name, cases)
  })

afterAll(() => {
  for (const [name, cases] of counts) console.log(`conformance: ${name} ran ${cases} cases`)
  // A backend that lacks an ability asserts so: it skips nothing.
  expect(new Set(counts.values()).size).toBe(1)
  expect(counts.size).toBe(backends.length)
})
