/**
 * The mean length and number of dependencies of the registrations in a text: a JSON array, or JSON Lines.
 *
 * @throws Error if there are none, or something else
 */
export function measureFile(text: string): { bytes: number; dependencies: number } {
  const items = text.trimStart().startsWith('[')
    ? (JSON.parse(text) as unknown[])
    : text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => JSON.parse(line) as unknown)
  if (items.length === 0) throw new Error('There are no registrations in this file.')
  let [bytes, dependencies] = [0, 0]
  for (const [index, item] of items.entries()) {
    if (typeof item !== 'object' || item === null || !('serviceName' in item))
      throw new Error(`Item ${index + 1} is no registration: it has no serviceName.`)
    bytes += Buffer.byteLength(JSON.stringify(item))
    dependencies += 'dependencies' in item && Array.isArray(item.dependencies) ? item.dependencies.length : 0
  }
  return { bytes: bytes / items.length, dependencies: dependencies / items.length }
}
