import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CoordinatorClient } from '../../../src/cli/context/coordinator-client.ts'
import type { Item } from '../../../src/cli/import/item.ts'
import { makeBatches } from '../../../src/cli/import/make-batches.ts'
import { BatchSender } from '../../../src/cli/import/send-batches.ts'
import { GrantedTime } from '../../support/granted-time.ts'

type Answer = (body: { name: string }[], request: IncomingMessage, response: ServerResponse) => void

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server whose answers a test decides one by one. */
async function withAnswers(...answers: Answer[]): Promise<{ client: CoordinatorClient; seen: string[][] }> {
  const seen: string[][] = []
  const server = createServer(async (request, response) => {
    const text = (await Array.fromAsync(request)).join('')
    const body = JSON.parse(text) as { name: string }[]
    seen.push(body.map(({ name }) => name))
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    answer?.(body, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close().closeAllConnections())
  return {
    seen,
    client: new CoordinatorClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  }
}

function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

const acceptAll: Answer = (body, _request, response) =>
  json(response, 200, {
    success: true,
    results: body.map(() => ({ success: true, created: true, changed: true })),
  })

const unavailable: Answer = (_body, _request, response) =>
  json(response, 503, { success: false, code: 'COORD_STORE_UNAVAILABLE', detail: 'gone', retryable: true })

async function send(client: CoordinatorClient, names: string[], patienceMs = 5_000) {
  const items: Item[] = names.map((name, index) => ({ place: `item ${index + 1}`, value: { name } }))
  const sender = new BatchSender({ client, patienceMs })
  const verdicts = []
  for await (const batch of makeBatches(Readable(items))) verdicts.push(...(await sender.send(batch)))
  return verdicts.map(({ outcome }) => outcome)
}

async function* Readable(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

describe('coordinator import: sending', () => {
  it('sends everything in order, 500 in a request', async () => {
    const { client, seen } = await withAnswers(acceptAll)
    const names = Array.from({ length: 1_203 }, (_, index) => `s${index}`)
    expect(await send(client, names)).toEqual(names.map(() => 'new'))
    expect(seen.map((body) => body.length)).toEqual([500, 500, 203])
    expect(seen.flat()).toEqual(names)
  })

  it('waits as long as Retry-After says, and sends the same again', async () => {
    const { client, seen } = await withAnswers(
      (_body, _request, response) =>
        json(
          response,
          503,
          { success: false, code: 'COORD_NOT_LOADED', detail: 'not yet' },
          { 'retry-after': '1' },
        ),
      acceptAll,
    )
    const started = performance.now()
    expect(await send(client, ['a', 'b'])).toEqual(['new', 'new'])
    expect(performance.now() - started).toBeGreaterThan(950)
    expect(seen).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  it('sends only those again that the database could not take', async () => {
    const { client, seen } = await withAnswers((body, _request, response) => {
      json(response, 200, {
        results: body.map(({ name }) =>
          name === 'b' && seen.length === 1
            ? { success: false, code: 'COORD_STORE_TIMEOUT', detail: 'slow', retryable: true }
            : { success: true, created: false, changed: false },
        ),
      })
    })
    expect(await send(client, ['a', 'b', 'c'])).toEqual(['unchanged', 'unchanged', 'unchanged'])
    expect(seen).toEqual([['a', 'b', 'c'], ['b']])
  })

  it('goes on after a connection that broke once the coordinator had answered', async () => {
    const { client, seen } = await withAnswers(
      unavailable,
      (_body, request) => request.socket.destroy(),
      acceptAll,
    )
    expect(await send(client, ['a'])).toEqual(['new'])
    expect(seen).toHaveLength(3)
  })

  it('gives up when nothing was accepted for as long as its patience lasts', async () => {
    const { client } = await withAnswers(unavailable)
    await expect(send(client, ['a'], 600)).rejects.toMatchObject({
      code: 'COORD_STORE_UNAVAILABLE',
      exitCode: 69,
    })
  })

  it('does not wait for a coordinator that has never answered', async () => {
    const { client } = await withAnswers((_body, request) => request.socket.destroy())
    using time = new GrantedTime()
    await expect(send(client, ['a'])).rejects.toMatchObject({ code: 'COORD_CLI_UNREACHABLE', exitCode: 69 })
    expect(time.now).toBeLessThan(200)
  })

  it('finds the one that makes a whole request be refused', async () => {
    const { client } = await withAnswers((body, request, response) => {
      if (body.some(({ name }) => name === 'bad'))
        json(response, 413, { success: false, code: 'COORD_BODY_TOO_LARGE', detail: 'too large' })
      else acceptAll(body, request, response)
    })
    expect(await send(client, ['a', 'b', 'bad', 'c'])).toEqual(['new', 'new', 'failed', 'new'])
  })

  it('keeps the order where the first half of a refused request has to wait: nothing of the second overtakes it', async () => {
    let postponed = 0
    const { client, seen } = await withAnswers((body, _request, response) => {
      const names = body.map(({ name }) => name)
      if (names.length > 2)
        return json(response, 413, { success: false, code: 'COORD_BODY_TOO_LARGE', detail: 'too large' })
      json(response, 200, {
        results: names.map((name) => {
          if (name !== 'b' || postponed > 0) return { success: true, created: true, changed: true }
          postponed += 1
          return { success: false, code: 'COORD_STORE_TIMEOUT', detail: 'slow', retryable: true }
        }),
      })
    })
    expect(await send(client, ['a', 'b', 'c', 'd'])).toEqual(['new', 'new', 'new', 'new'])
    expect(seen).toEqual([['a', 'b', 'c', 'd'], ['a', 'b'], ['b', 'c', 'd'], ['b', 'c'], ['d']])
  })

  it('has its patience again with everything that is accepted', async () => {
    const { client, seen } = await withAnswers((body, _request, response) => {
      json(response, 200, {
        results: body.map((_, at) =>
          at === 0
            ? { success: true, created: true, changed: true }
            : { success: false, code: 'COORD_STORE_TIMEOUT', detail: 'slow', retryable: true },
        ),
      })
    })
    // Three waits of 250 ms each: longer together than its patience, and longer than two without progress.
    expect(await send(client, ['a', 'b', 'c', 'd'], 600)).toEqual(['new', 'new', 'new', 'new'])
    expect(seen.map(({ length }) => length)).toEqual([4, 3, 2, 1])
  })

  it('waits twice as long after each attempt in vain, as long as anything is said of it', async () => {
    const { client } = await withAnswers(unavailable, unavailable, unavailable, acceptAll)
    const waits: number[] = []
    const sender = new BatchSender({ client, patienceMs: 10_000, onRetry: (_, waitMs) => waits.push(waitMs) })
    for await (const batch of makeBatches(Readable([{ place: 'item 1', value: { name: 'a' } }])))
      await sender.send(batch)
    expect(waits).toEqual([250, 500, 1_000])
  })

  it.each([
    [400, 'COORD_BODY_WRONG_TYPE'],
    [413, 'COORD_BODY_TOO_LARGE'],
    [422, 'COORD_IDEMPOTENCY_REUSED'],
  ])('names the one that is refused with %i by the code %s of the coordinator', async (status, code) => {
    const { client } = await withAnswers((_body, _request, response) =>
      json(response, status, { success: false, code, detail: 'not so' }),
    )
    const sender = new BatchSender({ client, patienceMs: 1_000 })
    const batches = makeBatches(Readable([{ place: 'item 1', value: { name: 'a' } }]))
    const [verdicts] = await Array.fromAsync(batches, (batch) => sender.send(batch))
    expect(verdicts).toMatchObject([{ outcome: 'failed', code, reason: 'not so' }])
  })

  it('takes the first member of each kind of answer for what it says: new, changed, unchanged, failed', async () => {
    const { client } = await withAnswers((_body, _request, response) =>
      json(response, 200, {
        results: [
          { success: true, serviceId: '1', created: true, changed: true },
          {
            ...{ success: true, serviceId: '2', created: false, changed: true },
            warnings: [{ code: 'w', message: 'm', path: '/p' }],
          },
          { success: true, serviceId: '3', created: false, changed: false },
          {
            success: false,
            code: 'C',
            detail: 'd',
            retryable: false,
            errors: [{ path: '/x', message: 'y' }],
          },
        ],
      }),
    )
    const items = ['a', 'b', 'c', 'd'].map((name, at) => ({ place: `item ${at + 1}`, value: { name } }))
    const sender = new BatchSender({ client, patienceMs: 1_000 })
    const [verdicts] = await Array.fromAsync(makeBatches(Readable(items)), (batch) => sender.send(batch))
    expect(verdicts?.map(({ item, ...rest }) => [item.place, rest])).toEqual([
      ['item 1', { outcome: 'new', id: '1', warnings: [] }],
      ['item 2', { outcome: 'changed', id: '2', warnings: [{ code: 'w', message: 'm', path: '/p' }] }],
      ['item 3', { outcome: 'unchanged', id: '3', warnings: [] }],
      ['item 4', { outcome: 'failed', code: 'C', reason: '/x: y' }],
    ])
  })

  it('fails an item of any depth alone, and sends the others', async () => {
    const { client, seen } = await withAnswers(acceptAll)
    const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)
    const items = [{ name: 'a' }, { name: 'deep', metadata: deep }, { name: 'b' }]
    const sender = new BatchSender({ client, patienceMs: 5_000 })
    const batches = makeBatches(Readable(items.map((value, at) => ({ place: `line ${at + 1}`, value }))))
    const verdicts = (await Array.fromAsync(batches, (batch) => sender.send(batch))).flat()
    expect(verdicts).toMatchObject([
      { outcome: 'new' },
      { item: { place: 'line 2' }, outcome: 'failed', code: 'COORD_BODY_TOO_DEEP' },
      { outcome: 'new' },
    ])
    expect(seen).toEqual([['a', 'b']])
  })

  it('says so where something else than a coordinator answers', async () => {
    const { client } = await withAnswers((_body, _request, response) => response.end('<h1>hello</h1>'))
    await expect(send(client, ['a'])).rejects.toMatchObject({
      code: 'COORD_CLI_UNREACHABLE',
      detail: expect.stringContaining('not as a coordinator does'),
    })
  })

  const team = (id: string): Item => ({ place: id, about: { kind: 'node', id: `team:${id}` }, value: { id } })
  async function sendTeams(client: CoordinatorClient, ids: readonly string[]) {
    const sender = new BatchSender({ client, patienceMs: 5_000 })
    const sent = await Array.fromAsync(makeBatches(Readable(ids.map(team))), (batch) => sender.send(batch))
    return sent.flat().map((verdict) => [verdict.item.place, verdict.outcome])
  }

  it('sends each assertion by itself, sends again what has to wait, and goes on after what is refused', async () => {
    let postponed = 0
    const paths: string[] = []
    const server = createServer((request, response) => {
      paths.push(`${request.method} ${request.url}`)
      const id = request.url?.split('%3A')[1]
      if (id === 'late') postponed += 1
      if (id === 'late' && postponed === 1)
        json(response, 503, { success: false, code: 'COORD_STORE_TIMEOUT', detail: 'slow', retryable: true })
      else if (id === 'bad')
        json(response, 400, { success: false, code: 'COORD_NODE_ID_INVALID', detail: 'not so' })
      else json(response, 200, { success: true, id, created: true, changed: true, warnings: [] })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close().closeAllConnections())
    const client = new CoordinatorClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(await sendTeams(client, ['good', 'bad', 'late'])).toEqual([
      ['good', 'new'],
      ['bad', 'failed'],
      ['late', 'new'],
    ])
    expect(paths.sort()).toEqual([
      'PUT /knowledge-graph/nodes/team%3Abad',
      'PUT /knowledge-graph/nodes/team%3Agood',
      'PUT /knowledge-graph/nodes/team%3Alate',
      'PUT /knowledge-graph/nodes/team%3Alate',
    ])
  })

  it('ends at an assertion that the credential does not cover: all others would get the same answer', async () => {
    const server = createServer((_request, response) =>
      json(response, 403, { success: false, code: 'COORD_SCOPE_MISSING', detail: 'needs graph' }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close().closeAllConnections())
    const client = new CoordinatorClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await expect(sendTeams(client, ['a', 'b'])).rejects.toMatchObject({
      code: 'COORD_SCOPE_MISSING',
      exitCode: 77,
    })
  })
})
