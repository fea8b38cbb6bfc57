import { isIPv4 } from 'node:net'

/** The address in its usual form: sockets that take IPv6 show an IPv4 address behind a prefix. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address
}

/**
 * The client whose share of scarce resources a request uses. For IPv6 that is a network of 64 bits, because one client may use all of its
 * addresses.
 */
export function clientOf(given = ''): string {
  const address = plainAddress(given)
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length
  return [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after].slice(0, 4).join(':')
}

function groupsOf(text: string): string[] {
  return text.split(':').filter((group) => group !== '')
}
