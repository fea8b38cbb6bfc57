/** A sentence of the API, in which backticks mark commands and names. */
export function Words({ text }: { readonly text: string }) {
  return (
    <>
      {text.split('`').map((part, at) =>
        at % 2 === 1 ? (
          <code key={at} class="wrap">
            {part}
          </code>
        ) : (
          part
        ),
      )}
    </>
  )
}
