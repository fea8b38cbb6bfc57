import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { piecesOf, SharedBytes } from '../../src/http/sending/body-part.ts'
import { OutgoingBytes } from '../../src/http/sending/outgoing-bytes.ts'
import { MovedClock } from '../support/moved-clock.ts'

const stalledMs = 200

describe('bytes that wait for clients', () => {
  it('count once where several answers share them', () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000 })
    const shared = new SharedBytes(Buffer.alloc(100))
    const holds = [1, 2, 3].map(() => outgoing.hold(new Socket(), 10, { shared: [shared] }))
    expect(outgoing.bytes).toBe(130)
    holds[0]?.release()
    holds[0]?.release()
    expect(outgoing.bytes).toBe(120)
    for (const hold of holds) hold.release()
    expect(outgoing.bytes).toBe(0)
  })

  it('are kept where they are more than the limit and nobody else has any', () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000, stalledMs })
    const hold = outgoing.hold(new Socket(), 1_000)
    // Text turns out to be longer in bytes.
    hold.add(2_000)
    expect([outgoing.bytes, outgoing.cut]).toEqual([3_000, 0])
    hold.release()
    expect(outgoing.bytes).toBe(0)
  })

  it('make others wait in order, also small ones behind a large one', async () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000, stalledMs })
    const first = outgoing.hold(new Socket(), 800)
    const order: string[] = []
    const large = outgoing.room(500).then((outcome) => order.push(`large ${outcome}`))
    const small = outgoing.room(100).then((outcome) => order.push(`small ${outcome}`))
    expect([outgoing.waiting, outgoing.hasRoom(1)]).toEqual([2, false])
    first.release()
    await Promise.all([large, small])
    expect(order).toEqual(['large room', 'small room'])
    expect(outgoing.bytes).toBe(600)
    outgoing.giveBack(600)
    expect(outgoing.bytes).toBe(0)
  })

  it('are forgotten with clients that take nothing, and only when others need the room', async () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000, stalledMs })
    const [stalled, moving] = [new Socket(), new Socket()]
    using clock = new MovedClock()
    outgoing.hold(stalled, 500)
    const hold = outgoing.hold(moving, 500)
    clock.advance(stalledMs * 2)
    expect([stalled.destroyed, moving.destroyed, outgoing.cut]).toEqual([false, false, 0])
    hold.took(1)
    expect(await outgoing.room(400)).toBe('room')
    expect([stalled.destroyed, moving.destroyed, outgoing.cut, outgoing.bytes]).toEqual([true, false, 1, 899])
  })

  it('are never forgotten where their client takes something: the others are told in time', async () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000, stalledMs, roomTimeoutMs: 600 })
    const moving = new Socket()
    const hold = outgoing.hold(moving, 900)
    const moves = setInterval(() => hold.took(1), 20)
    expect(await outgoing.room(500)).toBe('late')
    clearInterval(moves)
    expect([moving.destroyed, outgoing.waiting]).toEqual([false, 0])
  })

  it('are not waited for by a client that is gone', async () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000 })
    outgoing.hold(new Socket(), 1_000)
    const gone = new AbortController()
    const waiting = outgoing.room(10, { gone: gone.signal })
    gone.abort()
    expect([await waiting, await outgoing.room(10, { gone: gone.signal })]).toEqual(['gone', 'gone'])
    expect([outgoing.waiting, outgoing.bytes]).toEqual([0, 1_000])
  })

  it('of one connection that only asks, or beyond the reserve, are forgotten at once, the longest stalled first', () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000 })
    const greedy = new Socket()
    for (const _ of [1, 2, 3]) outgoing.hold(greedy, 100)
    expect([greedy.destroyed, outgoing.bytes]).toEqual([true, 0])
    const sockets = Array.from({ length: 13 }, () => new Socket())
    for (const socket of sockets) outgoing.hold(socket, 100)
    expect(sockets.map(({ destroyed }) => destroyed).indexOf(false)).toBe(1)
    expect(outgoing.bytes).toBe(1_200)
  })

  it('of one client take half of the room; more of its answers wait for those, and nobody else does', async () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000, stalledMs, roomTimeoutMs: 600 })
    const holds = [1, 2, 3, 4].map(() => outgoing.hold(new Socket(), 100, { owner: 'a' }))
    const moves = setInterval(() => holds.forEach((hold) => void hold.took(0)), 20)
    expect([outgoing.hasRoom(100, 'a'), outgoing.hasRoom(101, 'a'), outgoing.hasRoom(600, 'b')]).toEqual([
      true,
      false,
      true,
    ])
    const order: string[] = []
    const own = ['a1', 'a2'].map((name) =>
      outgoing.room(300, { owner: 'a' }).then((outcome) => order.push(`${name} ${outcome}`)),
    )
    expect([outgoing.waiting, outgoing.hasRoom(300, 'b')]).toEqual([2, true])
    expect(await outgoing.room(300, { owner: 'b' })).toBe('room')
    for (const hold of holds.slice(0, 2)) hold.release()
    await Promise.all(own)
    expect(order).toEqual(['a1 room', 'a2 late'])
    clearInterval(moves)
    outgoing.giveBack(300, 'a')
    outgoing.giveBack(300, 'b')
    for (const hold of holds) hold.release()
    expect([outgoing.bytes, outgoing.waiting, outgoing.cut]).toEqual([0, 0, 0])
  })

  it('of a client with nothing else have room, however large they are, and shared ones count once for it', () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000 })
    expect(outgoing.hasRoom(5_000, 'a')).toBe(true)
    const shared = new SharedBytes(Buffer.alloc(300))
    const holds = [1, 2, 3].map(() => outgoing.hold(new Socket(), 10, { shared: [shared], owner: 'a' }))
    expect([outgoing.hasRoom(170, 'a'), outgoing.hasRoom(171, 'a')]).toEqual([true, false])
    for (const hold of holds.slice(0, 2)) hold.release()
    expect([outgoing.hasRoom(190, 'a'), outgoing.hasRoom(191, 'a')]).toEqual([true, false])
  })

  it('beyond the reserve are first forgotten where one client has more than half of the room', () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000 })
    const [other, ...own] = Array.from({ length: 13 }, () => new Socket())
    outgoing.hold(other as Socket, 100, { owner: 'b' })
    for (const socket of own) outgoing.hold(socket, 100, { owner: 'a' })
    expect([other?.destroyed, own[0]?.destroyed, outgoing.bytes]).toEqual([false, true, 1_200])
  })

  it('are forgotten with the stalled connections of a client whose own answers wait', async () => {
    const outgoing = new OutgoingBytes({ maxBytes: 1_000, stalledMs })
    const [own, other] = [new Socket(), new Socket()]
    using clock = new MovedClock()
    outgoing.hold(other, 100, { owner: 'b' })
    outgoing.hold(own, 450, { owner: 'a' })
    clock.advance(stalledMs * 2)
    expect(await outgoing.room(400, { owner: 'a' })).toBe('room')
    expect([own.destroyed, other.destroyed]).toEqual([true, false])
  })
})

describe('pieces of a body', () => {
  it('are the same bytes as the text, also around surrogate pairs and shared bytes', () => {
    const texts = [
      'a',
      'é'.repeat(8_191),
      '😀'.repeat(40_000),
      'x'.repeat(300_000),
      '',
      '漢'.repeat(100_000),
      '}',
    ]
    const shared = [new SharedBytes(Buffer.from('s'.repeat(20_000))), new SharedBytes(Buffer.from('small'))]
    const parts = [...texts, ...shared, `é${'😀'.repeat(70_000)}`]
    const whole = parts.map((part) => (typeof part === 'string' ? part : part.bytes.toString())).join('')
    const pieces = [...piecesOf(parts)].map((piece) => (piece instanceof SharedBytes ? piece.bytes : piece))
    expect(Buffer.concat(pieces).equals(Buffer.from(whole))).toBe(true)
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(262_144)
    expect([...piecesOf([])]).toEqual([])
  })

  it('take no more memory than they count for, however short the texts between large shared parts are', () => {
    const shared = new SharedBytes(Buffer.from('s'.repeat(200_000)))
    const parts = ['{"entries":[', shared, ',', shared, `],"next":"${'n'.repeat(20_000)}"}`]
    const own = [...piecesOf(parts)].flatMap((piece) => (piece instanceof SharedBytes ? [] : [piece]))
    expect(own.map(({ length }) => length)).toEqual([12, 1, 20_012])
    // A waiting answer has a few such pieces, and thousands may wait.
    expect(own.map(({ buffer }) => buffer.byteLength)).toEqual([12, 1, 20_012])
  })
})
