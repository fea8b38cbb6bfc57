import { Page } from '../../parts/page.tsx'

export function ServicePage() {
  return <Page title="Service">{''}</Page>
}
