import { describe, expect, it } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import { ClientQuestion } from '../../src/scheduling/client-question.ts'
import type { PeerListener } from '../../src/workers/peer.ts'
import { RequestLink, type RequestLinkOptions } from '../../src/workers/request-link.ts'
import { startProcess } from '../../src/workers/start-process.ts'
import { startThread } from '../../src/workers/start-thread.ts'
import type { SampleService } from './sample-service.ts'

const module = new URL('./sample-service.ts', import.meta.url)
const peers = {
  thread: (listener: PeerListener) => startThread(module, { name: 'sample', input: undefined }, listener),
  process: (listener: PeerListener) => startProcess(module, { heapMiB: 64 }, listener),
}

async function withLink(
  kind: keyof typeof peers,
  body: (link: RequestLink<SampleService>) => Promise<void>,
  options: Partial<RequestLinkOptions<SampleService>> = {},
): Promise<void> {
  const link = new RequestLink<SampleService>({
    start: peers[kind],
    lost: (_, { method, isFirst }) =>
      new CoordinatorError('COORD_STORE_FAULT', { detail: `${method} ${isFirst ? 'first' : 'later'}` }),
    ...options,
  })
  try {
    await body(link)
  } finally {
    await link.drop()
  }
}

describe.each(['thread', 'process'] as const)('a link to a %s', (kind) => {
  it('answers calls in the order in which they come', () =>
    withLink(kind, async (link) => {
      const answers = ['a', 'b', 'c'].map((text) => link.call('note', text))
      expect(link.depth).toBe(3)
      expect(await Promise.all(answers)).toEqual([['a'], ['a', 'b'], ['a', 'b', 'c']])
      expect(link.depth).toBe(0)
    }))

  it('brings an error whole, with the message of its cause', () =>
    withLink(kind, async (link) => {
      const options = {
        detail: 'Not now.',
        hint: 'Wait.',
        errors: [{ path: '/a', message: 'is b' }],
        outcome: 'not_written',
        retryAfterSeconds: 7,
        sourceCode: '55P03',
        extra: { revision: 3 },
      } as const
      const error = await link.call('refuse', { ...options, cause: 'too far' }).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(CoordinatorError)
      expect(error).toMatchObject({ code: 'COORD_STORE_BUSY', ...options })
      expect(error.cause).toMatchObject({ message: 'too far' })
    }))

  it('gives errors of other classes the code of the service', () =>
    withLink(kind, async (link) => {
      await expect(link.call('fail', 'no')).rejects.toMatchObject({
        code: 'COORD_STORE_FAULT',
        cause: { message: 'no' },
      })
    }))

  it('fails all calls when the worker ends, and starts another one with the next call', () =>
    withLink(kind, async (link) => {
      const [ended, note] = [link.call('end', undefined), link.call('note', 'a')]
      await expect(ended).rejects.toMatchObject({ detail: 'end first' })
      await expect(note).rejects.toMatchObject({ detail: 'note later' })
      expect(link.generation).toBe(1)
      expect(await link.call('note', 'b')).toEqual(['b'])
    }))

  it('withdraws calls that were not sent when their question ends', () =>
    withLink(
      kind,
      async (link) => {
        const left = Promise.withResolvers<void>()
        let isGone = false
        const question = new ClientQuestion({
          ...{ client: 'c', topic: 't', isAnswered: false },
          get isGone() {
            return isGone
          },
          onGone: (callback) => {
            void left.promise.then(callback)
            return () => undefined
          },
        })
        const first = link.call('note', 'a')
        const second = link.call('note', 'b', { question })
        isGone = true
        left.resolve()
        await expect(second).rejects.toMatchObject({ code: 'COORD_QUESTION_ABANDONED' })
        await first
        expect(await link.call('note', 'c')).toEqual(['a', 'c'])
      },
      { maxSent: 1 },
    ))

  it('gives a call up after its time, and takes the answer that comes later for nothing', () =>
    withLink(kind, async (link) => {
      const timeout = { ms: 0, error: () => new CoordinatorError('COORD_STORE_TIMEOUT') }
      // The worker has to start first, which takes longer than no time.
      await expect(link.call('note', 'a', { timeout })).rejects.toMatchObject({ code: 'COORD_STORE_TIMEOUT' })
      expect(await link.call('note', 'b')).toEqual(['a', 'b'])
    }))
})

it('a thread answers what was asked before it ends', () =>
  withLink('thread', async (link) => {
    const note = link.call('note', 'a')
    await link.finish()
    expect(await note).toEqual(['a'])
    expect(link.peer).toBeUndefined()
  }))
