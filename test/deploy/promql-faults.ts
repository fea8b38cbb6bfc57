import { parser } from '@prometheus-io/lezer-promql'
import type { KnownMetric, KnownMetrics } from './known-metrics.ts'

type SyntaxNode = ReturnType<typeof parser.parse>['topNode']

/** Labels that Prometheus itself adds to every series of a target. */
const targetLabels = ['job', 'instance']

/** What these functions expect. */
const argumentTypes: Readonly<Record<string, KnownMetric['type']>> = {
  ...{ rate: 'counter', irate: 'counter', increase: 'counter', resets: 'counter' },
  ...{ deriv: 'gauge', delta: 'gauge', idelta: 'gauge', predict_linear: 'gauge' },
}

/** What is wrong with a query: its syntax, and names of metrics, labels and values that no coordinator has. */
export function promqlFaults(query: string, known: KnownMetrics): string[] {
  const text = (node: SyntaxNode) => query.slice(node.from, node.to)
  const tree = parser.parse(query)
  const faults: string[] = []
  const allLabels = labelsBelow(tree.topNode)

  tree.iterate({
    enter({ node, type }) {
      if (type.isError) faults.push(`syntax error at character ${node.from}`)
      if (type.name === 'VectorSelector') checkSelector(node)
      if (type.name === 'FunctionCall') checkFunction(node)
      if (type.name === 'AggregateExpr') checkGrouping(node.getChild('AggregateModifier'), labelsBelow(node))
      if (type.name === 'MatchingModifierClause') checkGrouping(node, allLabels)
    },
  })
  return faults

  function nameOf(selector: SyntaxNode): string {
    const identifier = selector.getChild('Identifier')
    return identifier === null ? '' : text(identifier)
  }

  function selectorsBelow(node: SyntaxNode): SyntaxNode[] {
    const found: SyntaxNode[] = []
    node.cursor().iterate(({ name, node: inner }) => {
      if (name === 'VectorSelector') found.push(inner)
    })
    return found
  }

  function labelsBelow(node: SyntaxNode): ReadonlySet<string> {
    const metrics = selectorsBelow(node).map((selector) => known.get(nameOf(selector)))
    return new Set([...targetLabels, ...metrics.flatMap((metric) => [...(metric?.labels.keys() ?? [])])])
  }

  function checkSelector(selector: SyntaxNode): void {
    const name = nameOf(selector)
    const metric = known.get(name)
    if (metric === undefined) {
      faults.push(`no metric ${name}`)
      return
    }
    for (const matcher of selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []) {
      const [, label = '', operator, value = ''] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(text(matcher)) ?? []
      if (targetLabels.includes(label)) continue
      if (!metric.labels.has(label)) faults.push(`no label ${label} of ${name}`)
      const values = metric.labels.get(label)
      if (values === undefined) continue
      const isExact = operator === '=' || operator === '!='
      // Each alternative must match something: otherwise a misspelt one goes unnoticed.
      for (const one of isExact ? [value] : value.split('|'))
        if (![...values].some((each) => (isExact ? each === one : RegExp(`^(?:${one})$`).test(each))))
          faults.push(`no ${label} ${one} of ${name}`)
    }
  }

  function checkFunction(call: SyntaxNode): void {
    const called = text(call.firstChild as SyntaxNode)
    const expected = argumentTypes[called]
    for (const selector of selectorsBelow(call)) {
      const name = nameOf(selector)
      const type = known.get(name)?.type
      if (expected !== undefined && type !== undefined && type !== expected)
        faults.push(`${called} of the ${type} ${name}`)
      if (called === 'histogram_quantile' && !name.endsWith('_bucket'))
        faults.push(`${called} of ${name}, which has no buckets`)
    }
  }

  function checkGrouping(modifier: SyntaxNode | null, labels: ReadonlySet<string>): void {
    for (const list of modifier?.getChildren('GroupingLabels') ?? [])
      for (const label of list.getChildren('LabelName').map(text))
        if (!labels.has(label)) faults.push(`no label ${label} to group by`)
  }
}
