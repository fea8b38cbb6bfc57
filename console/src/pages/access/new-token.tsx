import { useRef, useState } from 'preact/hooks'
import { ApiError } from '../../api/api-error.ts'
import { api } from '../../api/client.ts'
import type { CreatedToken } from '../../api/types.ts'
import { Copy } from '../../parts/copy.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { Panel } from '../../parts/page.tsx'
import { Failure } from '../../parts/states.tsx'

const plainScopes = [
  { scope: 'read', words: 'read services, the graph and the journal' },
  { scope: 'graph', words: 'change assertions of the graph' },
  { scope: 'metrics', words: 'read metrics and the state of the database' },
  { scope: 'admin', words: 'do everything, which includes tokens' },
] as const

interface NewTokenProps {
  readonly onCreated: () => void
  /** Whether callers need a credential. */
  readonly isDemanded: boolean
}

/** Makes a token. It is shown once, here, and nowhere else. */
export function NewToken({ onCreated, isDemanded }: NewTokenProps) {
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<ReadonlySet<string>>(new Set(['read']))
  const [services, setServices] = useState('')
  const [expires, setExpires] = useState('90d')
  const [made, setMade] = useState<CreatedToken>()
  const [error, setError] = useState<ApiError>()
  const busy = useRef(false)

  const registers = services
    .split(/[\s,]+/)
    .filter((text) => text !== '')
    .map((text) => `register:${text}`)
  const wanted = [...scopes, ...registers]

  async function create(): Promise<void> {
    // A second click would fail, because the name is taken then.
    if (busy.current) return
    busy.current = true
    setError(undefined)
    try {
      const body = { name, scopes: wanted, expires }
      setMade(await api.post<CreatedToken>('/tokens', { body }))
      setName('')
      onCreated()
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown
      setError(thrown)
    } finally {
      busy.current = false
    }
  }

  return (
    <Panel title="Create a token">
      {made !== undefined && <Made token={made} onDone={() => setMade(undefined)} />}
      <form
        class="token-form"
        onSubmit={(event) => {
          event.preventDefault()
          void create()
        }}
      >
        <label class="field" for="token-name">
          Name
        </label>
        <input
          id="token-name"
          class="input"
          required
          maxLength={63}
          pattern="[a-z0-9._\-]+"
          title="a-z, 0-9, dot, underscore and hyphen"
          autocomplete="off"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <p class="muted">
          The history shows this name as the author of changes. No later token can have the same name.
        </p>
        <fieldset class="scopes">
          <legend class="field">Scopes</legend>
          {plainScopes.map(({ scope, words }) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                checked={scopes.has(scope)}
                onChange={() => setScopes(toggled(scopes, scope))}
              />
              <span>
                <code>{scope}</code> {words}
              </span>
            </label>
          ))}
        </fieldset>
        <label class="field" for="token-services">
          Services that it may register
        </label>
        <input
          id="token-services"
          class="input mono"
          placeholder="cart  shop/*"
          autocomplete="off"
          value={services}
          onInput={(event) => setServices(event.currentTarget.value)}
        />
        <label class="field" for="token-expires">
          Valid for
        </label>
        <input
          id="token-expires"
          class="input"
          required
          value={expires}
          title="A duration such as 90d or 12h, a time, or never"
          onInput={(event) => setExpires(event.currentTarget.value)}
        />
        {!isDemanded && (
          <p class="muted">The coordinator does not demand tokens yet. To change this, set AUTH=required.</p>
        )}
        {error !== undefined && <Failure error={error} />}
        {error !== undefined && error.errors.length > 0 && (
          <ul class="form-errors">
            {error.errors.map(({ path, message }) => (
              <li key={path}>
                <code>{path}</code> {message}
              </li>
            ))}
          </ul>
        )}
        <button type="submit" class="button button-primary" disabled={name === '' || wanted.length === 0}>
          Create the token
        </button>
      </form>
    </Panel>
  )
}

function Made({ token, onDone }: { readonly token: CreatedToken; readonly onDone: () => void }) {
  return (
    <div class="made" role="status">
      <p>
        <strong>
          The token <Foreign text={token.name} />.
        </strong>{' '}
        Copy it now: it is shown only this once.
      </p>
      <Copy text={token.token} label="Copy the token" />
      {token.warnings.map(({ code, message }) => (
        <p key={code} class="made-warning">
          {message}
        </p>
      ))}
      <button type="button" class="button button-small" onClick={onDone}>
        I have copied it
      </button>
    </div>
  )
}

function toggled(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  const next = new Set(set)
  if (!next.delete(member)) next.add(member)
  return next
}
