import { get, type IncomingMessage } from 'node:http'
import { expect } from 'vitest'
import type { ServerScope } from './with-server.ts'

export const service = (serviceName: string, fields: object = {}) => ({
  serviceName,
  version: '1.0.0',
  endpoint: 'http://host:80',
  ...fields,
})

export async function registerMany({ ask }: ServerScope, names: readonly string[]): Promise<void> {
  for (const name of names) expect((await ask('/register', { json: service(name) })).status).toBe(201)
}

interface Event {
  readonly id: string
  readonly event: string | undefined
  readonly data: { revision: number; writes: { op: string; data?: { serviceName?: string } }[] } | undefined
}

/** A client of the stream. */
export class Follower {
  readonly events: Event[] = []
  readonly comments: string[] = []
  /** How soon to connect again, in milliseconds. */
  retry: number | undefined
  ended = false
  text = ''
  readonly #response: IncomingMessage

  constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      this.text += chunk
      const blocks = this.text.split('\n\n')
      this.text = blocks.pop() as string
      for (const block of blocks) this.#take(block)
    })
    response.on('close', () => {
      this.ended = true
    })
    response.on('error', () => undefined)
  }

  static open(url: string, path: string, headers: Record<string, string> = {}): Promise<Follower> {
    return new Promise((resolve, reject) => {
      get(url + path, { headers: { accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
        if (response.statusCode === 200) resolve(new Follower(response))
        else reject(new Error(`status ${response.statusCode}`))
      }).on('error', reject)
    })
  }

  get revisions(): number[] {
    return this.events.flatMap(({ data }) => data?.revision ?? [])
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#response.destroy()
  }

  #take(block: string): void {
    const line = (name: string) =>
      block
        .split('\n')
        .find((text) => text.startsWith(`${name}: `))
        ?.slice(name.length + 2)
    const retry = line('retry')
    if (retry !== undefined) this.retry = Number(retry)
    const comment = line('')
    if (comment !== undefined) this.comments.push(comment)
    const id = line('id')
    if (id === undefined) return
    const data = line('data')
    this.events.push({ id, event: line('event'), data: data === undefined ? undefined : JSON.parse(data) })
  }
}

export const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
