import type { CallerAccess, TokenList } from '../../api/types.ts'
import { Actor } from '../../parts/actor.tsx'
import { FieldRow } from '../../parts/fields.tsx'
import { Page, Panel } from '../../parts/page.tsx'
import { Empty, Loading, Shown } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { Words } from '../../parts/words.tsx'
import { caller, hasScope } from '../../state/session.ts'
import { useAnswer } from '../../state/use-answer.ts'
import './access.css'
import { NewToken } from './new-token.tsx'
import { Tokens } from './tokens.tsx'

/** Who the caller is, and, for administrators, the tokens. */
export function AccessPage() {
  const known = caller.value
  const isAdmin = hasScope('admin')
  const tokens = useAnswer<TokenList>(isAdmin ? '/tokens' : undefined, { pollMs: 10_000 })
  return (
    <Page title="Access" lead="Who may do what with this coordinator.">
      {known === undefined ? (
        <Loading what="what you may do" />
      ) : (
        <div class="access-grid">
          <div class="stack">
            <Panel title="You">
              <You access={known} />
            </Panel>
            {isAdmin && <NewToken onCreated={tokens.retry} isDemanded={known.mode === 'required'} />}
          </div>
          {isAdmin ? (
            <Panel title="Tokens" aside={tokens.at !== undefined && <Time at={tokens.at} />}>
              <Shown asked={tokens} what="the tokens">
                {({ tokens: list }) => <Tokens tokens={list} onChange={tokens.retry} />}
              </Shown>
            </Panel>
          ) : (
            <Empty
              title="To see and to create tokens, you need a token with the scope admin."
              command="coordinator token create NAME --scope admin"
            >
              <p>
                Sign out, and sign in with such a token. Whoever runs the coordinator creates the first one:
              </p>
            </Empty>
          )}
        </div>
      )}
    </Page>
  )
}

const modes: Readonly<Record<CallerAccess['mode'], string>> = {
  open: 'Open: everybody on this machine may do everything.',
  off: 'Off: everybody who reaches the coordinator may do everything.',
  required: 'Required: everybody needs a credential.',
}

function You({ access }: { readonly access: CallerAccess }) {
  const { mode, kind, actor, scopes, expiresAt, nextStep } = access
  return (
    <>
      <dl class="fields">
        <FieldRow name="Credentials">{modes[mode]}</FieldRow>
        <FieldRow name="Your name in the history">
          <Actor actor={actor} />
        </FieldRow>
        <FieldRow name="Identified by">{kind}</FieldRow>
        <FieldRow name="Your scopes">
          {scopes.length === 0 ? 'none' : <span class="mono wrap">{scopes.join(' ')}</span>}
        </FieldRow>
        <FieldRow name="Valid until">
          {expiresAt === null ? 'no end' : <Time at={expiresAt} exact />}
        </FieldRow>
      </dl>
      {nextStep !== undefined && (
        <p class="next-step">
          <Words text={nextStep} />
        </p>
      )}
    </>
  )
}
