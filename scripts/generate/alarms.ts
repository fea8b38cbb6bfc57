import { type AlarmRule, RULES_FILE, readAlarmRules } from './alarm-rules.ts'

const titles: Readonly<Record<string, string>> = {
  'coordinator-process': 'The process',
  'coordinator-records': 'Records and their history',
  'coordinator-writes': 'Writes and the database',
  'coordinator-replicas': 'Replicas',
  'coordinator-memory': 'Memory',
  'coordinator-clients': 'Clients',
  'coordinator-backups': 'Backups',
}

/** `docs/alarms.md`: each alarm of `deploy/prometheus/rules.yaml`, in its order. */
export function renderAlarms(): string {
  const rules = readAlarmRules()
  const groups = [...new Set(rules.map(({ group }) => group))]
  return `<!-- Generated from ${RULES_FILE} by \`npm run gen\`: change it there. -->

# Alarms

This page says for each alarm when it fires, what it means, and what to do. [monitoring.md](monitoring.md) shows how to set the alarms up.
An alarm with \`page\` should wake somebody up. One with \`ticket\` can wait for the next working day.

One fault may cause several alarms. Begin with the first one in this table that fires. N stands for a number.

| alarm | severity | it says |
|---|---|---|
${rules.map(row).join('\n')}

${groups.map((group) => section(group, rules)).join('\n')}`
}

function row({ alert, labels, annotations }: AlarmRule): string {
  return `| [${alert}](#${alert.toLowerCase()}) | ${labels['severity']} | ${plain(annotations['summary'])} |`
}

function section(group: string, rules: readonly AlarmRule[]): string {
  const own = rules.filter((rule) => rule.group === group)
  return `## ${titles[group]}\n\n${own.map(entry).join('\n')}`
}

function entry({ alert, expr, for: time, labels, annotations }: AlarmRule): string {
  const moment = time === undefined ? 'has a result' : `has had a result for ${time}`
  return `### ${alert}

\`${labels['severity']}\`. It fires when this query ${moment}:

\`\`\`promql
${expr.trim()}
\`\`\`

${linked(annotations['description'])}

**Do this:** ${linked(annotations['action'])}
`
}

/** The summary without the templates of Prometheus. */
function plain(text = ''): string {
  return text
    .replaceAll(/\{\{ \$labels\.instance \}\}/g, 'the coordinator')
    .replaceAll(/ ?\(\{\{ \$labels\.\w+ \}\}\)/g, '')
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, 'N')
    .replace(/^./, (first) => first.toUpperCase())
}

/** Makes links of the names of pages and of alarms. */
function linked(text = ''): string {
  return text
    .replaceAll(/(?<![\w/])([a-z-]+\.md(?:#[a-z-]+)?)/g, '[$1]($1)')
    .replaceAll(/\bCoordinator[A-Z]\w+/g, (alert) => `[${alert}](#${alert.toLowerCase()})`)
}
