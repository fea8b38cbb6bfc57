import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../api/api-error.ts'
import { pages } from '../pages.ts'
import { Link } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { Failure, Loading } from '../parts/states.tsx'

/** The page of a path. Its code is loaded once. */
export function CurrentPage({ path }: { readonly path: string }) {
  const entry = pages.find((page) => page.path === path)
  const [Loaded, setLoaded] = useState<{ readonly Page: ComponentType }>()
  const [error, setError] = useState<ApiError>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    let wanted = true
    setError(undefined)
    entry?.load().then(
      (page) => wanted && setLoaded({ Page: page }),
      (thrown: unknown) => wanted && setError(notLoaded(thrown)),
    )
    return () => {
      wanted = false
    }
  }, [entry, tries])
  if (entry === undefined) return <Unknown path={path} />
  if (Loaded !== undefined) return <Loaded.Page />
  if (error === undefined) return <Loading what="the page" />
  return <Failure error={error} onRetry={() => setTries(tries + 1)} />
}

/** After an update of the coordinator, the files of the console have other names. */
function notLoaded(thrown: unknown): ApiError {
  return new ApiError({
    status: 0,
    code: 'CONSOLE_PAGE_NOT_LOADED',
    detail: `The code of this page could not be loaded: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    hint: 'Reload the page in the browser. The coordinator may have been updated, or it does not answer.',
  })
}

function Unknown({ path }: { readonly path: string }) {
  return (
    <Page title="No such page">
      <div class="state state-empty">
        <p>
          The console has no page <code>{path}</code>.
        </p>
        <p>
          <Link to="/">Go to the overview</Link>
        </p>
      </div>
    </Page>
  )
}
