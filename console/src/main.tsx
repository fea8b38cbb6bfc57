import { render } from 'preact'
import { rootUrl } from './root-url.ts'

const place = document.getElementById('console')
if (place !== null) render(<p>The console of {rootUrl.href}</p>, place)
