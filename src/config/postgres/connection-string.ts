/** A parameter by its name in libpq, decoded, and its place in the list of parameters if it stands there. */
export type Pair = readonly [name: string, text: string, number?: number]

/**
 * Thrown by what reads connection strings, and caught where they are read. The message is the rest of a sentence that begins with the
 * variable. It never repeats a value.
 */
export class ConnectionFault extends Error {
  readonly variable: string

  constructor(text: string, variable = 'DATABASE_URL') {
    super(text)
    this.variable = variable
  }
}

const scheme = /^postgres(ql)?:\/\//i
/** What the hosts of a URL look like, each with its port. */
const hostItem = /^(\[[^\]]+\]|[^:@]*)(:\d*)?$/

/** Whether a text is a URL of PostgreSQL, or the other form of libpq: `host=... dbname=...`. */
export function isConnectionString(text: string): boolean {
  return scheme.test(text) || /^\w+\s*=/.test(text)
}

/**
 * Splits a connection string into its parameters, as libpq does (its documentation, "Connection Strings"). Later ones count.
 *
 * `new URL` and the parser of the driver cannot do it: they refuse several hosts, and give ports, folders of sockets and certificates
 * another meaning.
 */
export function readConnectionString(text: string): Pair[] {
  const prefix = scheme.exec(text)?.[0]
  return prefix === undefined ? readWords(text) : readUrl(text.slice(prefix.length))
}

/** `host=localhost password='a \' b'` */
function readWords(text: string): Pair[] {
  const word = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(?!')((?:[^\s\\]|\\.)*))\s*/sy
  const pairs: Pair[] = []
  while (word.lastIndex < text.length) {
    const [, name = '', quoted, plain = ''] = word.exec(text) ?? []
    if (name === '') {
      throw new ConnectionFault(
        `has a parameter that cannot be read (number ${pairs.length + 1}): write host=... dbname=..., and values with spaces in single quotes`,
      )
    }
    pairs.push([name, (quoted ?? plain).replace(/\\(.)/gs, '$1'), pairs.length + 1])
  }
  return pairs
}

interface UrlParts {
  readonly credentials: string
  readonly hosts: string
  readonly path: string
  readonly query: string
}

function readUrl(rest: string): Pair[] {
  const { credentials, hosts, path, query } = splitUrl(rest)
  const [user, password] = splitOnce(credentials, ':')
  if (/^\[?YOUR-PASSWORD\]?$/i.test(password)) {
    throw new ConnectionFault('still holds the placeholder of the password: put the real one there')
  }
  const items = hosts.split(',').map(splitHost)
  // Lists are joined, and decoded as a whole: `%2Ctmp` is another host, `%3A` is no port.
  const inPath: Pair[] = [
    ['user', decode(user, 'user')],
    ['password', decode(password, 'password')],
    ['host', decode(items.map(([host]) => host).join(','), 'host')],
    ['port', decode(items.map(([, port]) => port).join(','), 'port')],
    ['dbname', decode(path, 'database')],
  ]
  return [...inPath.filter(([, text]) => text !== ''), ...readQuery(query)]
}

/**
 * libpq ends the credentials at the first `@` before a slash. A password with an unencoded `@` or slash then leaves hosts that
 * cannot be, and so the last `@` ends it. What can be read in both ways is refused: the password could go to another server.
 */
function splitUrl(rest: string): UrlParts {
  const [, credentials = '', hosts = '', path = '', query = ''] =
    /^(?:([^@/]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? []
  if (hosts.split(',').every((item) => hostItem.test(item))) {
    if (path.includes('@')) {
      throw new ConnectionFault(
        'has an @ behind a slash, which may belong to the password or to the database: write an @ as %40, and a slash in the password as %2F',
      )
    }
    return { credentials, hosts, path, query }
  }
  const [, address = '', parameters = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(rest) ?? []
  const at = address.lastIndexOf('@')
  const [list, database] = splitOnce(address.slice(at + 1), '/')
  return { credentials: address.slice(0, Math.max(at, 0)), hosts: list, path: database, query: parameters }
}

function splitHost(item: string): [string, string] {
  const [, address, port = ''] = /^\[([^\]]+)\](?::(.*))?$/.exec(item) ?? []
  if (address !== undefined) return [address, port]
  if (/[[\]@]/.test(item)) {
    throw new ConnectionFault(
      'has no host that can be read: its form is postgres://user:password@host:5432/database, special characters of the password percent-encoded',
    )
  }
  return splitOnce(item, ':')
}

function readQuery(query: string): Pair[] {
  const pairs = query.split('&').filter((item) => item !== '')
  return pairs.map((pair, index) => {
    const [name, text] = splitOnce(pair, '=')
    if (!pair.includes('=')) {
      throw new ConnectionFault(`has a parameter without a value (number ${index + 1}): write name=value`)
    }
    const number = index + 1
    return [
      decode(name, `parameter (number ${number})`),
      decode(text, `value (of parameter ${number})`),
      number,
    ]
  })
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function decode(text: string, part: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    throw new ConnectionFault(`has a ${part} that cannot be decoded: write a percent sign as %25`)
  }
  if (decoded.includes('\0')) throw new ConnectionFault(`has a ${part} with the character NUL: remove it`)
  return decoded
}
