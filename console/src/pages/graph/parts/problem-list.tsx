import { shownText } from '../../../drawing/text/shown-text.ts'
import type { Problem } from '../views/graph-view.ts'

/** What is wrong, each with a button that selects its node in the drawing. */
export function ProblemList({
  problems,
  onSelect,
}: {
  readonly problems: readonly Problem[]
  readonly onSelect: (id: string) => void
}) {
  if (problems.length === 0) return null
  return (
    <section class="panel" aria-label="Problems">
      <header class="panel-head">
        <h2>Problems</h2>
      </header>
      <ul class="graph-problems">
        {problems.map((problem) => (
          <li key={`${problem.kind} ${problem.node}`} class={`graph-problem graph-problem-${problem.kind}`}>
            <button type="button" class="node-link" onClick={() => onSelect(problem.node)}>
              {shownText(problem.title)}
            </button>
            <p class="quiet">{shownText(problem.detail)}</p>
          </li>
        ))}
      </ul>
    </section>
  )
}
