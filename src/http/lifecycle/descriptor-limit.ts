import { readFileSync } from 'node:fs'

/** Kept for the database, the log and the files of the process itself. */
const reserve = 256

/** How many files and connections this process may have open at once; `undefined` where nobody says. */
export function descriptorLimit(): number | undefined {
  try {
    return numberOf(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
  } catch {
    // Not Linux. The report looks at much more, and is made only once.
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

/** How many of so many descriptors clients may have: where there are few, half of them. */
export function descriptorsForClients(limit: number): number {
  return Math.max(Math.floor(limit / 2), limit - reserve)
}
