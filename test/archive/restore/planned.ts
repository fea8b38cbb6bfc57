import type { ArchivedFile, Destination } from '../../../src/archive/destination/destination.ts'
import { parseFileName } from '../../../src/archive/format/file-name.ts'
import type { PlannedBase, RestorePlan } from '../../../src/archive/restore/plan.ts'
import { filesIn } from './written-archive.ts'

/** provisional */
export async function planned(
  destination: Destination,
  target: RestorePlan['target'] = {},
  { history = false }: { history?: boolean } = {},
): Promise<RestorePlan> {
  const files = (await filesIn(destination)).flatMap((file) => {
    const name = parseFileName(file.name)
    return name === undefined ? [] : [{ file, name }]
  })
  const bases = new Map<number, { revision: number; digest: string; files: ArchivedFile[] }>()
  const logs: ArchivedFile[] = []
  let access: ArchivedFile | undefined
  let last = 0
  for (const { file, name } of files) {
    if (name.kind === 'access') access = file
    if (name.kind === 'log') {
      logs.push(file)
      last = Math.max(last, name.last)
    }
    if (name.kind === 'base') {
      const base = bases.get(name.revision) ?? { revision: name.revision, digest: name.digest, files: [] }
      base.files.push(file)
      bases.set(name.revision, base)
    }
  }
  const top = target.revision ?? last
  const fitting = [...bases.values()].filter(({ revision }) => revision <= top)
  const base = (history ? fitting[0] : fitting.at(-1)) as PlannedBase
  const wanted = logs.filter(({ name }) => {
    const parsed = parseFileName(name)
    return parsed?.kind === 'log' && parsed.last > base.revision && parsed.first <= top
  })
  return {
    lineage: files[0]?.name.lineage ?? '',
    ancestors: [],
    base,
    logs: wanted,
    passedBases: fitting.filter(({ revision }) => revision > base.revision),
    ...(access === undefined ? {} : { access }),
    target,
    lastRevision: last,
  }
}
