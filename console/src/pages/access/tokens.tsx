import { useState } from 'preact/hooks'
import { ApiError } from '../../api/api-error.ts'
import { api } from '../../api/client.ts'
import type { Token } from '../../api/types.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { Empty, Failure } from '../../parts/states.tsx'
import { Tags } from '../../parts/tags.tsx'
import { Time } from '../../parts/time.tsx'

interface TokensProps {
  readonly tokens: readonly Token[]
  readonly onChange: () => void
}

/** Every token that was ever made, those that count first. A token is revoked in two clicks, because nobody can undo it. */
export function Tokens({ tokens, onChange }: TokensProps) {
  const [asked, setAsked] = useState<string>()
  const [error, setError] = useState<ApiError>()

  async function revoke(id: string): Promise<void> {
    setError(undefined)
    try {
      await api.delete(`/tokens/${encodeURIComponent(id)}`)
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown
      setError(thrown)
    }
    setAsked(undefined)
    onChange()
  }

  const columns: readonly Column<Token>[] = [
    {
      key: 'name',
      title: 'Name',
      sortBy: ({ name }) => name,
      render: ({ name }) => <Foreign text={name} class="token-name" />,
    },
    {
      key: 'state',
      title: 'State',
      sortBy: ({ state }) => order[state],
      render: ({ state }) => <span class={`token-${state}`}>{state}</span>,
    },
    {
      key: 'scopes',
      title: 'Scopes',
      render: ({ scopes }) => <Tags tags={scopes} />,
    },
    {
      key: 'used',
      title: 'Last used',
      sortBy: ({ lastUsedAt }) => lastUsedAt ?? undefined,
      render: ({ lastUsedAt }) =>
        lastUsedAt === null ? <span class="muted">not yet</span> : <Time at={lastUsedAt} />,
    },
    {
      key: 'expires',
      title: 'Expires',
      sortBy: ({ expiresAt }) => expiresAt ?? undefined,
      render: (token) => <End token={token} />,
    },
    {
      key: 'made',
      title: 'Created',
      sortBy: ({ createdAt }) => createdAt,
      render: ({ createdAt, createdBy }) => (
        <span title={`by ${createdBy}`}>
          <Time at={createdAt} />
        </span>
      ),
    },
    {
      key: 'revoke',
      title: 'Revoke',
      render: (token) =>
        token.state !== 'active' ? null : asked === token.id ? (
          <span class="revoke">
            <button
              type="button"
              class="button button-small button-danger"
              onClick={() => void revoke(token.id)}
            >
              Revoke {token.name} for ever
            </button>
            <button type="button" class="button button-small" onClick={() => setAsked(undefined)}>
              Keep it
            </button>
          </span>
        ) : (
          <button
            type="button"
            class="button button-small"
            aria-label={`Revoke ${token.name}`}
            onClick={() => setAsked(token.id)}
          >
            Revoke
          </button>
        ),
    },
  ]
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      <DataTable
        caption="Tokens"
        hideCaption
        columns={columns}
        rows={tokens}
        keyOf={({ id }) => id}
        sorting={{ key: 'state', descending: false }}
        classOf={({ state }) => (state === 'active' ? undefined : 'token-over')}
        empty={<Empty title="There are no tokens yet." />}
      />
    </>
  )
}

const order: Readonly<Record<Token['state'], number>> = { active: 0, refused: 1, expired: 2, revoked: 3 }

function End({ token: { expiresAt, revokedAt, revokedBy } }: { readonly token: Token }) {
  if (revokedAt !== null)
    return (
      <span title={`by ${revokedBy ?? 'nobody known'}`}>
        revoked <Time at={revokedAt} />
      </span>
    )
  return expiresAt === null ? <>for ever</> : <Time at={expiresAt} />
}
