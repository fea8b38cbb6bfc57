import { render } from 'preact'
import './styles/tokens.css'
import './styles/base.css'
import './styles/frame.css'
import './styles/parts.css'
import './styles/data-table.css'
import './styles/contrast.css'
import './styles/touch.css'
import { App } from './shell/app.tsx'
import { watchHealth } from './state/health.ts'
import { beginSession } from './state/session.ts'

const place = document.getElementById('console')
if (place === null) throw new Error('index.html has no element for the console.')
// Before the first page asks: a token that stayed in this tab must be in its requests.
void beginSession()
watchHealth()
place.replaceChildren()
render(<App />, place)
