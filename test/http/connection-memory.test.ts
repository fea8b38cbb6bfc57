import { describe, expect, it } from 'vitest'
import { ConnectionMemory } from '../../src/http/client/connection-memory.ts'
import { FakeHeap } from '../support/fake-heap.ts'

const mebibyte = 1_048_576
/** The bound for changes of other coordinators is at 190 MiB. */
const memoryAt = (neededMiB: number) =>
  new ConnectionMemory(FakeHeap.watched({ neededBytes: neededMiB * mebibyte }, 200 * mebibyte).budget)

describe('the memory of connections', () => {
  it('is left for what else the coordinator does: streams end below the bound, connections may go beyond it', () => {
    expect(() => memoryAt(183).takeStream()).not.toThrow()
    expect(() => memoryAt(185).takeStream()).toThrow(
      expect.objectContaining({ code: 'COORD_STREAMS_FULL', status: 503 }),
    )
    expect(memoryAt(195).takeConnection()).toBe(true)
    expect(memoryAt(197).takeConnection()).toBe(false)
  })
})
