import { describe, expect, it } from 'vitest'
import { PastQueue } from '../../src/live/reading/past-queue.ts'
import { type Asker, answering, ClientQuestion } from '../../src/scheduling/client-question.ts'

/** A call of the store that goes on until it is told to end. */
class Call {
  readonly #end = Promise.withResolvers<string>()
  started = false

  readonly run = () => {
    this.started = true
    return this.#end.promise
  }

  end(): void {
    this.#end.resolve('answer')
  }
}

class TestClient implements Asker {
  readonly client: string
  readonly topic: string
  isAnswered = false
  isGone = false
  #left: () => void = () => undefined

  constructor(client: string, topic = 'list') {
    this.client = client
    this.topic = topic
  }

  onGone(left: () => void): () => void {
    this.#left = left
    return () => undefined
  }

  leave(): void {
    this.isGone = true
    this.#left()
  }

  asks(queue: PastQueue, call: Call, presentMs = 10_000): Promise<string> {
    const question = new ClientQuestion(this, { presentMs, pastMs: presentMs })
    const answer = answering(question, () => queue.run(call.run))
    answer.catch(() => undefined)
    return answer
  }
}

const calls = (count: number) => Array.from({ length: count }, () => new Call())
const started = (some: readonly Call[]) => some.map((call) => call.started)
const settled = () => new Promise((resolve) => setImmediate(resolve))
const queueOf = (places: number, more = {}) => new PastQueue({ maxReading: () => places, ...more })

describe('reads of the past', () => {
  it('are under way on no more connections than there are, and half of them for one client', async () => {
    const queue = queueOf(4)
    const some = calls(4)
    const [first] = some.map((call) => new TestClient('a').asks(queue, call))
    const others = calls(3)
    for (const call of others) void new TestClient('b').asks(queue, call)
    expect([started(some), started(others)]).toEqual([
      [true, true, false, false],
      [true, true, false],
    ])
    some[0]?.end()
    expect(await first).toBe('answer')
    expect(started(some)).toEqual([true, true, true, false])
    expect(queue.figures).toEqual({ reading: 4, waiting: 2, refused: 0 })
  })

  it('of one client wait for each other and not for those of others', async () => {
    const queue = queueOf(1)
    const [busy, ...flood] = calls(5)
    void new TestClient('a').asks(queue, busy as Call)
    for (const call of flood) void new TestClient('a').asks(queue, call)
    const [other] = calls(1)
    void new TestClient('b').asks(queue, other as Call)
    busy?.end()
    await settled()
    flood[0]?.end()
    await settled()
    expect([started(flood), other?.started]).toEqual([[true, false, false, false], true])
  })

  it('of one kind wait for each other and not for another kind of the same client', async () => {
    const queue = queueOf(1)
    const [busy, ...flood] = calls(4)
    void new TestClient('a').asks(queue, busy as Call)
    for (const call of flood) void new TestClient('a').asks(queue, call)
    const [history] = calls(1)
    void new TestClient('a', 'history').asks(queue, history as Call)
    busy?.end()
    await settled()
    flood[0]?.end()
    await settled()
    expect([started(flood), history?.started]).toEqual([[true, false, false], true])
  })

  it('are not begun for a client that has left, and end for one whose call is on its way', async () => {
    const queue = queueOf(1)
    const [busy, waiting] = calls(2)
    const [one, other] = [new TestClient('a'), new TestClient('b')]
    const first = one.asks(queue, busy as Call)
    const second = other.asks(queue, waiting as Call)
    other.leave()
    await expect(second).rejects.toMatchObject({ code: 'COORD_QUESTION_ABANDONED' })
    one.leave()
    await expect(first).rejects.toMatchObject({ code: 'COORD_QUESTION_ABANDONED' })
    // The connection is free only when the database has answered.
    expect(queue.figures).toEqual({ reading: 1, waiting: 0, refused: 0 })
    busy?.end()
    await settled()
    expect(queue.figures).toEqual({ reading: 0, waiting: 0, refused: 0 })
    expect(waiting?.started).toBe(false)
  })

  it('end when the time of their question is over', async () => {
    const queue = queueOf(1)
    const [busy, waiting] = calls(2)
    const answers = [busy, waiting].map((call) => new TestClient('a').asks(queue, call as Call, 20))
    for (const answer of answers)
      await expect(answer).rejects.toMatchObject({ code: 'COORD_QUESTION_TOO_LARGE', retryable: false })
  })

  it('beyond what may wait are refused, and may be tried again', async () => {
    const queue = queueOf(1, { maxWaiting: 8, maxWaitMs: 20 })
    const some = calls(4)
    const answers = some.map((call) => new TestClient('a').asks(queue, call))
    const busy = { code: 'COORD_PAST_BUSY', status: 503, retryable: true, retryAfterSeconds: 2 }
    await expect(answers[3]).rejects.toMatchObject(busy)
    await expect(answers[1]).rejects.toMatchObject({
      ...busy,
      detail: 'The question waited 20 ms and its turn did not come.',
    })
    await expect(answers[2]).rejects.toMatchObject(busy)
    expect(queue.figures).toEqual({ reading: 1, waiting: 0, refused: 3 })
  })

  it('keep nothing of clients that have their answers', async () => {
    const queue = queueOf(2)
    for (let number = 0; number < 50; number += 1) {
      const call = new Call()
      call.end()
      expect(await new TestClient(`client ${number}`).asks(queue, call)).toBe('answer')
    }
    expect(queue.figures).toEqual({ reading: 0, waiting: 0, refused: 0 })
  })

  it('of one client wait in half of the places, whatever kinds of questions it asks', async () => {
    const queue = queueOf(1, { maxWaiting: 8 })
    const [busy, ...others] = calls(6)
    void new TestClient('a').asks(queue, busy as Call)
    const answers = ['list', 'list', 'history', 'history', 'changes'].map((topic, at) =>
      new TestClient('a', topic).asks(queue, others[at] as Call),
    )
    await expect(answers[4]).rejects.toMatchObject({ code: 'COORD_PAST_BUSY' })
    const [other] = calls(1)
    void new TestClient('b').asks(queue, other as Call)
    expect(queue.figures).toEqual({ reading: 1, waiting: 5, refused: 1 })
  })
})
