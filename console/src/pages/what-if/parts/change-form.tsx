import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { shownText } from '../../../drawing/text/shown-text.ts'
import { Icon } from '../../../parts/icon.tsx'
import { Panel } from '../../../parts/page.tsx'
import { setQuery } from '../../../state/location.ts'
import { type FoundNode, NodeSearch } from '../../graph/parts/node-search.tsx'
import { type ChangeWish, idOf, type NamedService } from '../change-wish.ts'

/** The longest registration that is kept in the address, in UTF-16 code units. Servers refuse addresses of 16 KiB. */
const LONGEST_LINKED = 4_000

/** Where the change is put together. Everything goes into the address at once. */
export function ChangeForm({ wish }: { readonly wish: ChangeWish }) {
  const { remove, changeVersion, register } = wish
  const removeIds = remove.map(idOf)
  const versions = changeVersion.map((one) => `${idOf(one)}=${one.version}`)
  const removePart = useRef<HTMLDivElement>(null)
  const versionPart = useRef<HTMLDivElement>(null)
  return (
    <Panel title="The change" class="change-form">
      <div class="change-part" ref={removePart}>
        <h3>Remove services</h3>
        <Chips
          texts={remove.map(nameOf)}
          onDrop={(at) => {
            setQuery({ remove: removeIds.filter((_, place) => place !== at) }, { replace: false })
            focusField(removePart)
          }}
        />
        <NodeSearch
          label="Which service is removed"
          services
          hotkey
          onPick={({ id }) => setQuery({ remove: [...new Set([...removeIds, id])] }, { replace: false })}
        />
      </div>
      <div class="change-part" ref={versionPart}>
        <h3>Change a version</h3>
        <Chips
          texts={changeVersion.map((one) => `${nameOf(one)} to ${one.version}`)}
          onDrop={(at) => {
            setQuery({ version: versions.filter((_, place) => place !== at) }, { replace: false })
            focusField(versionPart)
          }}
        />
        <VersionForm
          part={versionPart}
          onChange={(id, version) =>
            setQuery(
              { version: [...versions.filter((one) => !one.startsWith(`${id}=`)), `${id}=${version}`] },
              { replace: false },
            )
          }
        />
      </div>
      <div class="change-part">
        <h3>Register a service</h3>
        <RegisterForm key={register} register={register} />
      </div>
    </Panel>
  )
}

type Part = RefObject<HTMLDivElement | null>

/** What had the focus is gone: without this, the next Tab would begin at the top of the page. */
function focusField(part: Part): void {
  part.current?.querySelector('input')?.focus()
}

function nameOf({ serviceName, namespace }: NamedService): string {
  return namespace === undefined ? serviceName : `${namespace}/${serviceName}`
}

function Chips({
  texts,
  onDrop,
}: {
  readonly texts: readonly string[]
  readonly onDrop: (at: number) => void
}) {
  if (texts.length === 0) return null
  return (
    <ul class="chips">
      {texts.map((text, at) => (
        <li key={text} class="chip">
          <span>{shownText(text)}</span>
          <button
            type="button"
            aria-label={`Take ${shownText(text)} out of the change`}
            onClick={() => onDrop(at)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  )
}

interface VersionFormProps {
  readonly part: Part
  readonly onChange: (id: string, version: string) => void
}

function VersionForm({ part, onChange }: VersionFormProps) {
  const [node, setNode] = useState<FoundNode>()
  const [version, setVersion] = useState('')
  // From the search to the field of the version, and back to the search: before the next key arrives.
  const shown = useRef(node)
  useLayoutEffect(() => {
    if (shown.current !== node) focusField(part)
    shown.current = node
  }, [node])
  if (node === undefined)
    return <NodeSearch label="Which service gets another version" services onPick={setNode} />
  return (
    <form
      class="version-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (version.trim() === '') return
        onChange(node.id, version.trim())
        setNode(undefined)
        setVersion('')
      }}
    >
      <label class="field">
        New version of {shownText(node.label)}
        <input
          class="input"
          value={version}
          placeholder="4.0.0"
          spellcheck={false}
          autocomplete="off"
          maxLength={256}
          onInput={({ currentTarget }) => setVersion(currentTarget.value)}
        />
      </label>
      <button type="submit" class="button button-primary" disabled={version.trim() === ''}>
        Try it
      </button>
      <button type="button" class="button" onClick={() => setNode(undefined)}>
        Cancel
      </button>
    </form>
  )
}

const EXAMPLE = `{
  "serviceName": "gift-cards",
  "version": "1.0.0",
  "endpoint": "http://gift-cards:8080",
  "dependencies": ["cart"]
}`

function RegisterForm({ register }: { readonly register: string }) {
  const [text, setText] = useState(register)
  const [fault, setFault] = useState<string>()
  const submit = () => {
    const given = text.trim()
    if (given !== '') {
      try {
        JSON.parse(given)
      } catch (error) {
        return setFault(`This is not JSON: ${error instanceof Error ? error.message : String(error)}`)
      }
      if (given.length > LONGEST_LINKED)
        return setFault(
          `This is longer than ${LONGEST_LINKED.toLocaleString('en')} characters, which is all that fits into the address. Leave out fields that do not name dependencies, or send it with curl.`,
        )
    }
    setFault(undefined)
    setQuery({ register: given === '' ? undefined : given }, { replace: false })
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <label class="field">
        A registration, or a list of them, as JSON
        <textarea
          class="input mono"
          rows={text === '' ? 3 : 8}
          spellcheck={false}
          placeholder={EXAMPLE}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      {fault !== undefined && (
        <p class="form-fault" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" class="button" disabled={text.trim() === register.trim()}>
        {text.trim() === '' && register !== '' ? 'Remove it' : 'Try it'}
      </button>
    </form>
  )
}
