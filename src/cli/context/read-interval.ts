import { InvalidArgumentError } from 'commander'

/** Reads how often something is done. */
export function readInterval(text: string): number {
  const seconds = Number(text)
  if (!/^\d{1,5}(\.\d{1,3})?$/.test(text) || seconds < 0.1 || seconds > 86_400)
    throw new InvalidArgumentError('It must be a number of seconds, from 0.1 to 86400.')
  return seconds
}
