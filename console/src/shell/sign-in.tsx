import { useLayoutEffect, useState } from 'preact/hooks'
import type { ApiError } from '../api/api-error.ts'
import { Copy } from '../parts/copy.tsx'
import { Page } from '../parts/page.tsx'
import { Failure } from '../parts/states.tsx'
import { demanded } from '../state/credential.ts'
import { mayStay, signIn } from '../state/session.ts'

/** Asks for a token. It takes the place of the page whenever the coordinator answers 401. */
export function SignIn() {
  const [given, setGiven] = useState('')
  const [stay, setStay] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const reason = demanded.value
  useLayoutEffect(() => document.getElementById('token')?.focus(), [])

  async function submit(): Promise<void> {
    setBusy(true)
    setError(undefined)
    try {
      await signIn(given.trim(), { stay })
    } catch (thrown) {
      setError(thrown as ApiError)
    } finally {
      setBusy(false)
    }
  }

  const refused = error ?? (reason?.code === 'COORD_AUTH_REQUIRED' ? undefined : reason)
  return (
    <Page title="Sign in" lead="This coordinator demands a token. Paste one that has the scope read.">
      <form
        class="sign-in panel"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <label class="field" for="token">
          Token
        </label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          value={given}
          onInput={(event) => setGiven(event.currentTarget.value)}
        />
        {mayStay ? (
          <label class="check">
            <input
              type="checkbox"
              checked={stay}
              onChange={(event) => setStay(event.currentTarget.checked)}
            />
            Stay signed in in this tab
          </label>
        ) : (
          <p class="muted">The token is kept in memory only: reloading the page asks again.</p>
        )}
        <button type="submit" class="button button-primary" disabled={busy || given.trim() === ''}>
          {busy ? 'Signing in ...' : 'Sign in'}
        </button>
        {refused !== undefined && <Failure error={refused} />}
      </form>
      <div class="sign-in-help">
        <p>You have no token? Whoever runs the coordinator creates one:</p>
        <Copy text="coordinator token create my-browser --scope read --scope metrics" />
      </div>
    </Page>
  )
}
