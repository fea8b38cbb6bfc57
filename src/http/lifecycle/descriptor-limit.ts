import { readFileSync } from 'node:fs'

/** Descriptors that are kept for the database, the log and the files of the process. */
const reserve = 256

/** How many files and connections this process may have open; `undefined` if that is not known. */
export function descriptorLimit(): number | undefined {
  try {
    return numberOf(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
  } catch {
    // Not Linux. The report collects much more, so it is made only once.
    const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean }
    report.excludeNetwork = true
    const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
    return numberOf(userLimits?.open_files?.soft)
  }
}

function numberOf(limit: string | number | undefined): number | undefined {
  const number = Number(limit ?? Number.NaN)
  return Number.isFinite(number) ? number : undefined
}

/** How many of the descriptors clients may have: half of them if there are few. */
export function descriptorsForClients(limit: number): number {
  return Math.max(Math.floor(limit / 2), limit - reserve)
}
