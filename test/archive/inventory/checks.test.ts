import { expect, test } from 'vitest'
import { type Check, noteCheck, readChecks } from '../../../src/archive/inventory/checks.ts'
import { MemoryDestination } from '../../support/memory-destination.ts'

const lineage = '0c9f1ff4-7a64-4d35-9b0a-5a3f6f0f3f3e'
const structure: Check = { at: 3_000, lineage, revision: 5, checked: 'structure', by: 'verify' }
const contents: Check = { at: 2_000, lineage, revision: 9, checked: 'contents', by: 'verify' }

test('a check of the contents counts more than a later one of the structure, which does not remove it', async () => {
  const destination = new MemoryDestination()
  await noteCheck(destination, structure)
  expect((await readChecks(destination)).get(lineage)).toEqual(structure)
  await noteCheck(destination, contents)
  await noteCheck(destination, { ...structure, at: 4_000 })
  await noteCheck(destination, { ...structure, at: 5_000, by: 'drill' })
  expect((await readChecks(destination)).get(lineage)).toEqual(contents)
  await noteCheck(destination, { ...contents, at: 6_000, revision: 4, by: 'drill' })
  expect((await readChecks(destination)).get(lineage)).toMatchObject({ at: 6_000, revision: 4 })
})
