/** The examples of one command below a group, from those of the group, as its own help shows them. */
export function examplesOf(command: string, examples: string): string {
  const lines = examples.split('\n').filter((line) => line.includes(`coordinator ${command}`))
  return ['', 'Examples:', ...lines, ''].join('\n')
}
