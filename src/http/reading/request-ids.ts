import { randomBytes } from 'node:crypto'

const acceptable = /^[\w.:/+=@-]{1,128}$/

/** Gives a request its id. @param header the id that the client chose */
export type RequestIds = (header: string | string[] | undefined) => string

/** Makes the ids of requests. A random part for the process and a counter make them unique, at a far lower cost than a UUID. */
export function createRequestIds(): RequestIds {
  const processPart = randomBytes(6).toString('hex')
  let count = 0
  return (header) => {
    // A harmless id from the client is kept, so that the logs of both sides name the request alike.
    if (typeof header === 'string' && acceptable.test(header)) return header
    count += 1
    return `${processPart}-${count.toString(36)}`
  }
}
