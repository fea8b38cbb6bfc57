import { StaleBar } from '../parts/stale-bar.tsx'
import { demanded } from '../state/credential.ts'
import { path } from '../state/location.ts'
import { CurrentPage } from './current-page.tsx'
import { Navigation } from './navigation.tsx'
import { SignIn } from './sign-in.tsx'

/** The console: the navigation, what is wrong, and the page. */
export function App() {
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Navigation />
      <div class="frame-main">
        <StaleBar />
        <main id="main" tabIndex={-1}>
          {demanded.value === undefined ? <CurrentPage key={path.value} path={path.value} /> : <SignIn />}
        </main>
      </div>
    </div>
  )
}
