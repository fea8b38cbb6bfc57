import { Copy } from '../../parts/copy.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { Link } from '../../parts/link.tsx'
import { Panel } from '../../parts/page.tsx'
import { Words } from '../../parts/words.tsx'
import { health } from '../../state/health.ts'
import { asOf } from '../../state/location.ts'
import type { Asked } from '../../state/use-answer.ts'
import { type Problem, problemsOf } from './problems-of.ts'
import type { OverviewFigures } from './use-figures.ts'

/** What is wrong, the worst first, each with what to do next. */
export function Problems({ figures }: { readonly figures: Asked<OverviewFigures> }) {
  if (figures.data === undefined) return null
  const problems = problemsOf(figures.data, asOf.value === undefined ? health.value : undefined)
  return (
    <Panel title="Problems" aside={problems.length === 0 ? undefined : `${problems.length} found`}>
      {problems.length === 0 ? (
        <p class="no-problem">
          No problem is known{asOf.value === undefined ? '' : ' from then'}. No service is down, every
          dependency is registered, and there is no cycle of dependencies.
        </p>
      ) : (
        <ul class="problems">
          {problems.map((problem) => (
            <One key={problem.title} problem={problem} />
          ))}
        </ul>
      )}
    </Panel>
  )
}

function One({ problem }: { readonly problem: Problem }) {
  const { severity, title, names, more, detail, step } = problem
  return (
    <li class={`problem problem-${severity}`}>
      <p class="problem-title">
        <span class="problem-mark">{severity}</span> {title}
      </p>
      {names.length > 0 && (
        <p class="problem-names">
          {names.map(({ label, to, query }, at) => (
            <>
              {at > 0 && ', '}
              <Link to={to} query={query}>
                <Foreign text={label} />
              </Link>
            </>
          ))}
          {more > 0 && ` and ${more.toLocaleString('en')} more`}
        </p>
      )}
      {detail !== undefined && <p class="problem-detail">{detail}</p>}
      {step.link !== undefined && (
        <p>
          <Link to={step.link.to} query={step.link.query ?? {}}>
            {step.text}
          </Link>
        </p>
      )}
      {step.link === undefined && (
        <p class="problem-step">
          <Words text={step.text} />
        </p>
      )}
      {step.command !== undefined && <Copy text={step.command} />}
    </li>
  )
}
