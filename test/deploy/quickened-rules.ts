import { readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * The files of deploy/prometheus for a test that cannot wait for minutes: each duration, also in the queries, divided by the same number.
 * Thresholds stay, such as the 10 seconds of the age of the view.
 */
export function quickenedFiles(
  divisor: number,
  { targets, tokenFile }: { readonly targets: readonly string[]; readonly tokenFile: string },
): { readonly config: string; readonly rules: string } {
  const quickened = (duration: string): string => {
    const [, number, unit = ''] = /^(\d+)([smh])$/.exec(duration) ?? []
    const ms = (Number(number) * (unitMs[unit] ?? Number.NaN)) / divisor
    if (!Number.isInteger(ms)) throw new Error(`${duration} cannot be divided by ${divisor}`)
    return `${ms}ms`
  }
  const rules = parse(readFileSync('deploy/prometheus/rules.yaml', 'utf8')) as {
    groups: { rules: { expr: string; for?: string }[] }[]
  }
  for (const rule of rules.groups.flatMap((group) => group.rules)) {
    rule.expr = rule.expr.replaceAll(/\[(\w+)\]/g, (_, duration) => `[${quickened(duration)}]`)
    if (rule.for !== undefined) rule.for = quickened(rule.for)
  }
  const config = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8'))
  const { global, scrape_configs } = config
  // Not divided: a busy machine needs some time to answer a scrape.
  for (const name of ['scrape_interval', 'evaluation_interval', 'scrape_timeout']) global[name] = '1s'
  scrape_configs[0].static_configs = [{ targets }]
  scrape_configs[0].authorization.credentials_file = tokenFile
  return { config: stringify(config), rules: stringify(rules) }
}
