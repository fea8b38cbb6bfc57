import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { SharedWork } from '../../src/live/questions/shared-work.ts'
import {
  type Asker,
  ClientQuestion,
  currentQuestion,
  uncounted,
} from '../../src/scheduling/client-question.ts'
import { inTurns } from '../../src/scheduling/pace.ts'
import { turns } from '../support/turns.ts'
import { cart, forTest, forTrial, type ServerScope, withServer } from './with-server.ts'

const questionTimes = { presentMs: 100, pastMs: 1_500 }
const tooLarge = { code: 'COORD_QUESTION_TOO_LARGE', retryable: false, success: false }

/** Asks, and goes away when `until` says so. */
async function abandon({ port }: ServerScope, path: string, until: () => boolean): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  await expect.poll(until).toBe(true)
  socket.destroy()
}

/** Work without an end, that counts its steps. */
function* endless(count: () => void): Generator<undefined, never> {
  for (;;) {
    count()
    yield
  }
}

describe('a question', () => {
  it('has a time and an end on every route that does not write, also on one that knows nothing of it', () =>
    withServer(
      async ({ ask }) => {
        const { status, body, headers } = await ask('/forgotten')
        expect({ status, body }).toMatchObject({ status: 503, body: tooLarge })
        // The same question would take too long again.
        expect(headers.get('retry-after')).toBeNull()
        expect(body.hint).toContain('QUESTION_TIMEOUT_MS')
      },
      {
        questionTimes,
        prepare: ({ app }) => {
          app.register(async (routes) =>
            routes.get('/forgotten', forTest, () => new Promise(() => undefined)),
          )
        },
      },
    ))

  it('has its time without the waits for something else, also where it begins with one', () =>
    withServer(
      async ({ ask }) => {
        expect((await ask('/waiting')).text).toBe('came')
      },
      {
        questionTimes,
        prepare: ({ app }) => {
          app.get('/waiting', forTest, () => uncounted(sleep(3 * questionTimes.presentMs, 'came')))
        },
      },
    ))

  it('is worked on no more when its time is over', () => {
    let steps = 0
    return withServer(
      async ({ ask }) => {
        expect((await ask('/endless')).body).toMatchObject(tooLarge)
        const then = steps
        await turns()
        expect(steps).toBe(then)
      },
      {
        questionTimes,
        prepare: ({ app }) => {
          app.get('/endless', forTest, () => inTurns(endless(() => steps++)))
        },
      },
    )
  })

  it('is worked on no more when its client has left, others that share the work go on', () => {
    let steps = 0
    let shared: SharedWork<never> | undefined
    return withServer(
      async (scope) => {
        await abandon(scope, '/endless', () => steps > 0)
        await expect(shared?.result).rejects.toMatchObject({ code: 'COORD_QUESTION_ABANDONED' })
        const then = steps
        await turns()
        expect(steps).toBe(then)
      },
      {
        prepare: ({ app }) => {
          app.get('/endless', forTest, () => {
            shared ??= new SharedWork('test', () => inTurns(endless(() => steps++)))
            return shared.join()
          })
        },
      },
    )
  })

  it('that shares work with one that was abandoned gets its answer', () => {
    let finish: (answer: string) => void = () => undefined
    let asked = 0
    let shared: SharedWork<string> | undefined
    return withServer(
      async (scope) => {
        const other = scope.ask('/shared')
        await expect.poll(() => asked).toBe(1)
        await abandon(scope, '/shared', () => asked === 2)
        await turns()
        finish('answer')
        expect((await other).text).toBe('answer')
      },
      {
        prepare: ({ app }) => {
          app.get('/shared', forTest, () => {
            asked += 1
            shared ??= new SharedWork(
              'test',
              () =>
                new Promise((resolve) => {
                  finish = resolve
                }),
            )
            return shared.join()
          })
        },
      },
    )
  })

  it('about the past has more time, and waiting for changes has no limit but its own', () =>
    withServer(
      async ({ ask, store }) => {
        store.next('history', { does: 'delay', ms: 300 })
        const { body } = await ask('/register', { method: 'POST', json: cart })
        expect((await ask(`/services/${body.serviceId}/history`)).status).toBe(200)
        store.always({ does: 'hang' }, 'history')
        expect((await ask(`/services/${body.serviceId}/history`)).body).toMatchObject(tooLarge)
        expect((await ask('/changes?wait=1')).body).toMatchObject({ success: true, entries: [] })
      },
      { questionTimes },
    ))

  it.each(['?dryRun=true', '?dryRun=tru%65', '?dry%52un=true'])('is a dry run, too, as %s', (query) => {
    let steps = 0
    return withServer(
      async ({ ask }) => {
        expect((await ask(`/endless${query}`, { json: {} })).body).toMatchObject(tooLarge)
        const then = steps
        await turns()
        expect(steps).toBe(then)
      },
      {
        questionTimes,
        prepare: ({ app }) => {
          app.post('/endless', forTrial, () => inTurns(endless(() => steps++)))
        },
      },
    )
  })

  it('is none of what a write does', () => {
    const seen: boolean[] = []
    return withServer(async ({ live, ask }) => {
      live.observe({ entry: () => seen.push(currentQuestion() === undefined) })
      await ask('/register', { method: 'POST', json: cart })
      expect(seen).toEqual([true])
    })
  })
})

describe('the timer of a question', () => {
  it('is set again if it comes a moment before the deadline, as timers of whole milliseconds can', async () => {
    const asker: Asker = {
      client: 'someone',
      topic: '/test',
      isAnswered: false,
      isGone: false,
      onGone: () => () => undefined,
    }
    const clock = performance.now.bind(performance)
    let behindMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => clock() - behindMs)
    const question = new ClientQuestion(asker, { presentMs: 20, pastMs: 20 })
    const ending = question.orEnd(new Promise(() => undefined))
    // The timer is set by now. It comes when this clock still shows 15 ms.
    await turns()
    behindMs = 5
    await expect(ending).rejects.toMatchObject({ code: 'COORD_QUESTION_TOO_LARGE' })
    question.close()
  })
})
