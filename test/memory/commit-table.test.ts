import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CommitTable } from '../../src/database/memory/commit-table.ts'
import { nameUuid } from '../../src/records/name-uuid.ts'

const namespace = 'cbfe8a73-1b43-4c95-8657-cd4916334e5e'
const ids = Array.from({ length: 12 }, (_, at) => nameUuid(String(at), namespace))
const rowOf = (commitId: string) => ({ entry: { commitId } })

describe('CommitTable', () => {
  it.each([
    ['its own hash', undefined],
    ['a hash that several ids share', (id: string) => id.charCodeAt(0) % 3],
  ])('has what a map of ids has, with %s', (_, hash) => {
    const steps = fc.array(fc.tuple(fc.constantFrom('add', 'delete', 'clear'), fc.constantFrom(...ids)))
    fc.assert(
      fc.property(steps, (given) => {
        const table = new CommitTable(hash)
        const model = new Map<string, ReturnType<typeof rowOf>>()
        for (const [step, id] of given) {
          if (step === 'add') {
            const row = rowOf(id)
            table.add(row)
            model.set(id, row)
          } else if (step === 'delete') {
            table.delete(model.get(id) ?? rowOf(id))
            model.delete(id)
          } else if (id === ids[0]) {
            table.clear()
            model.clear()
          }
        }
        for (const id of ids) expect(table.get(id)).toBe(model.get(id))
      }),
    )
  })

  it('keeps the newer item of an id when the older one is removed', () => {
    const table = new CommitTable()
    const [older, newer] = [rowOf(ids[0] as string), rowOf(ids[0] as string)]
    table.add(older)
    table.add(newer)
    table.delete(older)
    expect(table.get(ids[0] as string)).toBe(newer)
  })
})
