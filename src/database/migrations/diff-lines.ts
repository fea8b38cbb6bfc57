/** How many common lines are shown before and after one that differs. */
const CONTEXT = 3

/**
 * The differences between two texts, line by line: `- ` before a line that only the old text has, `+ ` before one that only the new text
 * has, two blanks before a common line. Only the nearest common lines are shown; `...` stands for the others. It is meant for files of a
 * few hundred lines.
 */
export function diffLines(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const shared = sharedLengths(old, now)
  const lines: string[] = []
  let [left, right] = [0, 0]
  while (left < old.length || right < now.length) {
    const same = left < old.length && right < now.length && old[left] === now[right]
    if (same) lines.push(`  ${old[left]}`)
    const takeOld = !same && left < old.length && shared(left + 1, right) >= shared(left, right + 1)
    if (takeOld) lines.push(`- ${old[left]}`)
    if (!same && !takeOld) lines.push(`+ ${now[right]}`)
    if (same || takeOld) left += 1
    if (!takeOld) right += 1
  }
  return nearChanges(lines).join('\n')
}

function nearChanges(lines: readonly string[]): string[] {
  const differs = lines.map((line) => !line.startsWith('  '))
  const near = lines.map((_, at) => differs.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).includes(true))
  return lines.flatMap((line, at) => (near[at] ? [line] : at === 0 || near[at - 1] ? ['...'] : []))
}

/** For each pair of line numbers, the number of lines that the rests of both texts have in common, in order; -1 after the end of a text. */
function sharedLengths(
  old: readonly string[],
  now: readonly string[],
): (left: number, right: number) => number {
  const width = now.length + 1
  const lengths = new Int32Array((old.length + 1) * width)
  const at = (left: number, right: number) =>
    left > old.length || right > now.length ? -1 : (lengths[left * width + right] as number)
  for (let left = old.length - 1; left >= 0; left -= 1)
    for (let right = now.length - 1; right >= 0; right -= 1)
      lengths[left * width + right] =
        old[left] === now[right]
          ? at(left + 1, right + 1) + 1
          : Math.max(at(left + 1, right), at(left, right + 1))
  return at
}
