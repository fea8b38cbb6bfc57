/** One event of a stream of server-sent events. */
export interface StreamEvent {
  readonly id: string | undefined
  readonly type: string
  readonly data: string
}

/** Reads `text/event-stream`. Text may end anywhere: what is not complete yet is kept for the next call. */
export class EventLines {
  #rest = ''

  /** The events that end in this text. An event of comments only is left out. */
  read(text: string): readonly StreamEvent[] {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    return blocks.map(eventOf).filter((event) => event !== undefined)
  }
}

function eventOf(block: string): StreamEvent | undefined {
  let id: string | undefined
  let type = 'message'
  const data: string[] = []
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).replace(/^ /, '')
    if (line.startsWith('id:')) id = value
    else if (line.startsWith('event:')) type = value
    else if (line.startsWith('data:')) data.push(value)
  }
  return id === undefined && data.length === 0 ? undefined : { id, type, data: data.join('\n') }
}
