/** The examples of one command of a group, chosen from those of the group. */
export function examplesOf(command: string, examples: string): string {
  const lines = examples.split('\n').filter((line) => line.includes(`coordinator ${command}`))
  return ['', 'Examples:', ...lines, ''].join('\n')
}
