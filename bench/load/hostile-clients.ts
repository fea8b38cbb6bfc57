/** A process of its own with clients that mean harm: takes a `HostileOrder`, answers a `HostileNews`. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface HostileOrder {
  readonly port: number
  readonly clients: number
  readonly durationMs: number
}

/** How many requests each attack sent, and how they were answered: a status, or `left` where the client went first. */
export type HostileNews =
  | { readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>> }
  | { readonly error: string }

/** One request, and what the client does with the answer. */
interface Attack {
  readonly name: string
  /** The bytes of the request: they are the same each time. */
  readonly bytes: Buffer
  /** `read` waits for it; `leave` goes after so many milliseconds; `ignore` reads nothing for so long, and goes. */
  readonly answer: 'read' | 'leave' | 'ignore'
  readonly ms?: number
}

const mebibyte = 1_048_576

/** `{"<text before>[1,1,1,...]}` of nearly a mebibyte. */
function longList(before: string, item = '1', after = '}'): string {
  const room = mebibyte - 64 - before.length - after.length
  return `${before}[${Array(Math.floor(room / (item.length + 1)))
    .fill(item)
    .join(',')}]${after}`
}

const service = '{"serviceName":"bd","version":"1","endpoint":"http://x"'

function post(path: string, body: string, more = ''): Pick<Attack, 'bytes'> {
  return {
    bytes: Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  }
}

function get(path: string, more = ''): Pick<Attack, 'bytes'> {
  return { bytes: Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`) }
}

const attacks: readonly Attack[] = [
  { name: 'dependencies', ...post('/register', longList(`${service},"dependencies":`)), answer: 'read' },
  { name: 'tags', ...post('/register', longList(`${service},"tags":`)), answer: 'read' },
  { name: 'batch', ...post('/register/batch', longList('', '{}', '')), answer: 'read' },
  { name: 'dryRun', ...post('/register?dryRun=true', longList(`${service},"tags":`)), answer: 'read' },
  { name: 'remove', ...post('/knowledge-graph/simulate', longList('{"remove":')), answer: 'read' },
  {
    name: 'changeVersion',
    ...post('/knowledge-graph/simulate', longList('{"changeVersion":')),
    answer: 'read',
  },
  {
    name: 'simulate hub',
    ...post(
      '/knowledge-graph/simulate',
      '{"changeVersion":[{"serviceName":"hub","from":"1.1.0","version":"3.0.0"}]}',
    ),
    answer: 'leave',
    ms: 200,
  },
  { name: 'ranges', ...get(`/services?limit=1&version=${'9||'.repeat(4_000)}9`), answer: 'read' },
  { name: 'nobody', ...get('/changes?after=0&limit=1&name=nobody'), answer: 'leave', ms: 100 },
  { name: 'past list', ...get('/services?asOf=100&limit=1000'), answer: 'leave', ms: 100 },
  { name: 'whole graph', ...get('/knowledge-graph'), answer: 'ignore', ms: 2_000 },
  { name: 'list unread', ...get('/services?limit=1000'), answer: 'ignore', ms: 2_000 },
  { name: 'snapshot unread', ...get('/snapshot'), answer: 'ignore', ms: 2_000 },
  { name: 'journal unread', ...get('/changes?after=0&limit=1000'), answer: 'ignore', ms: 2_000 },
  {
    name: 'stream unread',
    ...get('/changes?after=0', 'Accept: text/event-stream\r\n'),
    answer: 'ignore',
    ms: 2_000,
  },
  {
    name: 'foreign page',
    ...post('/knowledge-graph/rebuild', '{}', 'Origin: http://evil.example\r\n'),
    answer: 'read',
  },
  {
    name: 'body unsent',
    bytes: Buffer.from(
      `POST /register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${mebibyte}\r\n\r\n${' '.repeat(mebibyte / 2)}`,
    ),
    answer: 'ignore',
    ms: 2_000,
  },
  { name: 'no http', bytes: Buffer.from('HELO there\r\n\r\n'), answer: 'read' },
]

/** A client that gets no answer at all for so long gives up, in milliseconds. */
const patienceMs = 15_000

process.once('message', (order: HostileOrder) => {
  run(order).then(
    (counts) => process.send?.({ counts } satisfies HostileNews),
    (error: Error) => process.send?.({ error: error.message } satisfies HostileNews),
  )
})

async function run({ port, clients, durationMs }: HostileOrder) {
  const counts: Record<string, Record<string, number>> = {}
  const end = performance.now() + durationMs
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let turn = client; performance.now() < end; turn += 1) {
        const attack = attacks[turn % attacks.length] as Attack
        const outcome = await carryOut(attack, port)
        const outcomes = counts[attack.name] ?? {}
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
        counts[attack.name] = outcomes
      }
    }),
  )
  return counts
}

function carryOut(attack: Attack, port: number): Promise<string> {
  return new Promise((resolve) => {
    let status = ''
    const socket = connect(port, '127.0.0.1')
    const done = (outcome: string) => {
      socket.removeAllListeners()
      socket.on('error', () => undefined)
      socket.destroy()
      resolve(outcome)
    }
    socket.setTimeout(patienceMs, () => done('silence'))
    socket.on('error', ({ code = 'error' }: NodeJS.ErrnoException) => done(status || code))
    socket.on('close', () => done(status || 'closed'))
    socket.on('connect', () => {
      socket.write(attack.bytes)
      if (attack.answer !== 'read') void goAway(attack, done)
    })
    if (attack.answer === 'ignore') socket.pause()
    else
      readAnswer(socket, (found) => {
        status = found
        if (attack.answer === 'read') done(found)
      })
  })
}

async function goAway({ ms = 0 }: Attack, done: (outcome: string) => void): Promise<void> {
  await sleep(ms)
  done('left')
}

/** The hostile client does not care for bodies: the status is enough. */
function readAnswer(socket: Socket, answered: (status: string) => void): void {
  socket.once('data', (chunk: Buffer) => answered(chunk.toString('latin1', 9, 12)))
}
