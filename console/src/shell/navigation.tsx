import { useEffect, useState } from 'preact/hooks'
import { apiUrl } from '../api/client.ts'
import { pages, sectionOf } from '../pages.ts'
import { Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { token } from '../state/credential.ts'
import { freshness, headRevision, silentSince } from '../state/freshness.ts'
import { health } from '../state/health.ts'
import { path } from '../state/location.ts'
import { caller, signOut } from '../state/session.ts'
import { chooseTheme, type ThemeChoice, themeChoice } from '../state/theme.ts'

/** The navigation. On narrow screens it is behind a button. */
export function Navigation() {
  const [open, setOpen] = useState(false)
  const here = path.value
  useEffect(() => setOpen(false), [here])
  return (
    <header class={open ? 'nav nav-open' : 'nav'}>
      <div class="nav-brand">
        <Link to="/" class="brand">
          <Logo />
          <span>Coordinator</span>
        </Link>
        <button
          type="button"
          class="button nav-toggle"
          aria-expanded={open}
          aria-controls="navigation"
          aria-label="Menu"
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? 'close' : 'menu'} />
        </button>
      </div>
      <div class="nav-body" id="navigation">
        <nav aria-label="Pages">
          <ul>
            {pages.map(
              ({ path: to, title, icon }) =>
                title !== undefined && (
                  <li key={to}>
                    <Link to={to} current={sectionOf(here) === to}>
                      <Icon name={icon} />
                      {title}
                    </Link>
                  </li>
                ),
            )}
          </ul>
        </nav>
        <div class="nav-foot">
          <Pulse />
          <Who />
          <div class="nav-links">
            <a href={apiUrl('/docs').href}>API reference</a>
            <ThemeSwitch />
          </div>
        </div>
      </div>
    </header>
  )
}

/** The coordinator in one line: its state and its newest revision. */
function Pulse() {
  const state = silentSince.value !== undefined ? 'silent' : (health.value?.status ?? unseen())
  const words: Readonly<Record<string, string>> = {
    silent: 'Does not answer',
    ok: 'Running',
    starting: 'Starting',
    degraded: 'Degraded',
    copy: 'Serves a copy',
    frozen: 'Takes no writes',
    unknown: 'Connecting',
    answers: 'Answers',
  }
  return (
    <p class={`pulse pulse-${state}`}>
      <span class="pulse-dot" aria-hidden="true" />
      {words[state] ?? state}
      {freshness.value !== undefined && (
        <span class="pulse-revision" title="The newest revision">
          r{headRevision.value.toLocaleString('en')}
        </span>
      )}
    </p>
  )
}

/** Without the scopes `read` and `metrics` the state stays unknown, but the coordinator answers. */
function unseen(): 'unknown' | 'answers' {
  return caller.value === undefined ? 'unknown' : 'answers'
}

function Who() {
  const known = caller.value
  if (known === undefined) return null
  return (
    <p class="who">
      <span class="who-name" title={`Scopes: ${known.scopes.join(', ') || 'none'}`}>
        {known.actor}
      </span>
      {token.value !== undefined && (
        <button type="button" class="button button-small" onClick={signOut}>
          Sign out
        </button>
      )}
    </p>
  )
}

const themes: readonly { readonly choice: ThemeChoice; readonly icon: 'system' | 'sun' | 'moon' }[] = [
  { choice: 'system', icon: 'system' },
  { choice: 'light', icon: 'sun' },
  { choice: 'dark', icon: 'moon' },
]

function ThemeSwitch() {
  return (
    <fieldset class="theme-switch" aria-label="Theme">
      {themes.map(({ choice, icon }) => (
        <button
          key={choice}
          type="button"
          aria-label={`${choice} theme`}
          title={`${choice} theme`}
          aria-pressed={themeChoice.value === choice}
          onClick={() => chooseTheme(choice)}
        >
          <Icon name={icon} />
        </button>
      ))}
    </fieldset>
  )
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="logo-lines" d="M16 7.5 7.5 22.5h17zM16 7.5v9.5M7.5 22.5 16 17l8.5 5.5" />
      <circle cx="16" cy="7" r="3.4" />
      <circle cx="7" cy="23" r="3.4" />
      <circle cx="25" cy="23" r="3.4" />
      <circle class="logo-core" cx="16" cy="17" r="3.8" />
    </svg>
  )
}
