/**
 * The script of the reference page: it filters the list, marks the position of the reader, and sends requests, with the token in its field.
 * No other place gets the token: it is not stored, and not part of any URL. The script is plain text here, because it runs in the browser.
 * It finds the coordinator, possibly behind a prefix, by its own address.
 */
export const tryScript = `
const root = new URL('../', document.currentScript.src)
const token = document.querySelector('#token')
const filter = document.querySelector('#filter')
const links = [...document.querySelectorAll('aside li a[href^="#"]')]
filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(' ')
  for (const link of links) {
    const text = (link.textContent + ' ' + link.title).toLowerCase()
    link.parentElement.hidden = !words.every((word) => text.includes(word))
  }
  for (const group of new Set(links.map((link) => link.closest('section'))))
    group.hidden = group.querySelector('li:not([hidden])') === null
  document.querySelector('#none').hidden = links.some((link) => !link.parentElement.hidden)
})
addEventListener('keydown', (event) => {
  if (event.key !== '/' || /INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) return
  event.preventDefault()
  filter.focus()
})

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries)
    if (isIntersecting) for (const link of links) link.classList.toggle('here', link.hash === '#' + target.id)
}, { rootMargin: '0px 0px -75% 0px' })
for (const article of document.querySelectorAll('article')) seen.observe(article)

for (const code of document.querySelectorAll('article > pre')) {
  const button = document.createElement('button')
  button.className = 'quiet'
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code.querySelector('code').textContent)
    button.textContent = 'Copied'
    setTimeout(() => { button.textContent = 'Copy' }, 1500)
  })
  if (navigator.clipboard) code.prepend(button)
  const text = code.querySelector('code')
  text.textContent = text.textContent.replaceAll('http://127.0.0.1:3000', root.href.slice(0, -1))
}

function requestOf(form) {
  const query = new URLSearchParams()
  const headers = token.value === '' ? {} : { Authorization: 'Bearer ' + token.value.trim() }
  let path = form.dataset.path
  for (const input of form.querySelectorAll('input, select')) {
    if (input.value === '' && input.dataset.in !== 'path') continue
    if (input.dataset.in === 'path') path = path.replace('{' + input.name + '}', encodeURIComponent(input.value))
    if (input.dataset.in === 'query') query.append(input.name, input.value)
    if (input.dataset.in === 'pairs') for (const pair of new URLSearchParams(input.value)) query.append(...pair)
    if (input.dataset.in === 'header') headers[input.name] = input.value
  }
  const body = form.querySelector('textarea')?.value
  if (body) headers['Content-Type'] = 'application/json'
  const search = String(query)
  return [path + (search && '?' + search), { method: form.dataset.method, headers, credentials: 'omit', redirect: 'error', ...(body ? { body } : {}) }]
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), undefined, 2) } catch { return text }
}

for (const form of document.querySelectorAll('.try'))
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const answer = form.querySelector('.answer')
    const [url, init] = requestOf(form)
    try {
      const response = await fetch(new URL('.' + url, root), init)
      const text = await response.text()
      const status = document.createElement('p')
      status.className = 'status s' + String(response.status)[0]
      status.textContent = response.status + ' ' + response.statusText + '  ' + init.method + ' ' + url
      const body = document.createElement('pre')
      body.textContent = pretty(text.slice(0, 200000))
      answer.replaceChildren(status, body)
    } catch (error) {
      answer.textContent = 'No answer: ' + error.message
    }
  })
`
