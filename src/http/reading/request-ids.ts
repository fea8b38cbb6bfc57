import { randomBytes } from 'node:crypto'

const acceptable = /^[\w.:/+=@-]{1,128}$/

/** Gives a request its id. @param header what the client calls it */
export type RequestIds = (header: string | string[] | undefined) => string

/** Makes the ids of requests: unique by a random part for the process and a number, which costs far less than a UUID. */
export function createRequestIds(): RequestIds {
  const processPart = randomBytes(6).toString('hex')
  let count = 0
  return (header) => {
    // A client's own id is taken over where it is harmless, so that its log and ours name the same thing.
    if (typeof header === 'string' && acceptable.test(header)) return header
    count += 1
    return `${processPart}-${count.toString(36)}`
  }
}
