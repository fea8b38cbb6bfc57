import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** An alarm of `deploy/prometheus/rules.yaml`. */
export interface AlarmRule {
  /** The name of its group, such as `coordinator-writes`. */
  readonly group: string
  readonly alert: string
  readonly expr: string
  /** How long the expression must hold, such as `5m`; absent: not at all. */
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export const RULES_FILE = 'deploy/prometheus/rules.yaml'

/** Every alarm, in the order of the file. */
export function readAlarmRules(): AlarmRule[] {
  const { groups } = parse(readFileSync(RULES_FILE, 'utf8')) as {
    groups: { name: string; rules: Omit<AlarmRule, 'group'>[] }[]
  }
  return groups.flatMap(({ name, rules }) => rules.map((rule) => ({ group: name, ...rule })))
}
