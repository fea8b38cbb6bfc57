import { useEffect, useRef, useState } from 'preact/hooks'
import type { ServiceList } from '../../api/types.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { HealthMark } from '../../parts/health-mark.tsx'
import { Link } from '../../parts/link.tsx'
import { Search } from '../../parts/search.tsx'
import { Failure } from '../../parts/states.tsx'
import { Tags } from '../../parts/tags.tsx'
import { asOf, namespace, navigate } from '../../state/location.ts'
import { serviceById } from '../../state/places.ts'
import { useAnswer } from '../../state/use-answer.ts'

const SUGGESTED = 8
const PAUSE_MS = 150

/** One field that finds a service. Enter opens it, or the list if several match; the arrow keys go to the first of them. */
export function ServiceSearch() {
  const [text, setText] = useState('')
  const [resting, setResting] = useState('')
  // The text for which somebody pressed Enter, perhaps before its answer was there.
  const [entered, setEntered] = useState<string>()
  useEffect(() => {
    const timer = setTimeout(() => setResting(text.trim()), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  const query = {
    q: resting,
    limit: SUGGESTED,
    fields: 'serviceId,serviceName,namespace,version,health',
    asOf: asOf.value,
    namespace: namespace.value,
  }
  const asked = useAnswer<ServiceList>(resting === '' ? undefined : '/services', { query })
  const found = text.trim() === '' ? undefined : asked.data
  const place = useRef<HTMLElement>(null)

  useEffect(() => {
    if (entered === undefined || entered !== resting || (asked.data ?? asked.error) === undefined) return
    setEntered(undefined)
    const [only, ...others] = asked.data?.services ?? []
    if (only?.serviceId === undefined || others.length > 0) navigate('/services', { q: entered })
    else {
      const { to, query: id } = serviceById(only.serviceId)
      navigate(to, id)
    }
  }, [entered, resting, asked.data, asked.error])

  /** Arrow keys go from the field to what was found, and back. */
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const stops: readonly (Element | null)[] = [...(place.current?.querySelectorAll('input, .found a') ?? [])]
    const at = stops.indexOf(document.activeElement)
    const next = stops[at + step]
    if (step === 0 || at < 0 || !(next instanceof HTMLElement)) return
    event.preventDefault()
    next.focus()
  }
  return (
    <search ref={place} class="service-search" onKeyDown={move}>
      <Search
        label="Search for a service"
        placeholder="Search by name, tag, metadata, capability, owner"
        value={text}
        onInput={(typed) => {
          setText(typed)
          setEntered(undefined)
        }}
        onSubmit={() => {
          const wanted = text.trim()
          if (wanted === '') return
          setResting(wanted)
          setEntered(wanted)
        }}
      />
      {text.trim() !== '' && asked.error !== undefined && (
        <Failure error={asked.error} onRetry={asked.retry} />
      )}
      {found !== undefined && <Found found={found} text={text.trim()} />}
    </search>
  )
}

function Found({ found: { services, total }, text }: { readonly found: ServiceList; readonly text: string }) {
  return (
    <div class="found">
      <ul aria-label="Services found">
        {services.map(
          ({
            serviceId = '',
            serviceName = '',
            namespace: where,
            version,
            tags = [],
            health = 'unknown',
          }) => (
            <li key={serviceId}>
              <Link {...serviceById(serviceId)} class="found-one">
                <Foreign text={serviceName} class="service-name" />
                <Foreign text={where ?? ''} class="muted" />
                <Foreign text={version ?? ''} class="mono" />
                {tags.length > 0 && <Tags tags={tags} most={3} />}
                <HealthMark health={health} />
              </Link>
            </li>
          ),
        )}
      </ul>
      <p class="found-foot" role="status">
        {total === 0 ? (
          'No service matches.'
        ) : (
          <Link to="/services" query={{ q: text }}>
            Show all {total.toLocaleString('en')} in the list
          </Link>
        )}
      </p>
    </div>
  )
}
