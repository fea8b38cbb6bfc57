/**
 * What hints say about requests, and what the user of a command does instead. Longer texts come first. `test/cli/command-hint.test.ts` checks
 * that no hint that a command can show is about HTTP.
 */
const inCommands: readonly (readonly [request: RegExp | string, command: string])[] = [
  // Waiting
  ['Ask again after `Retry-After`', 'Run the command again in a few seconds'],
  ['Send the request again after `Retry-After`', 'Run the command again in a few seconds'],
  ['Connect again after `Retry-After`', 'Run the command again in a few seconds'],
  ['Wait as long as Retry-After says, then send the request again', 'Run the command again in a few seconds'],
  ['Ask again in a few seconds', 'Run the command again in a few seconds'],
  ['Send the request again.', 'Run the command again.'],
  ['Ask again;', 'Run the command again;'],
  [
    ' You can send a write again with the same `Idempotency-Key`.',
    ' Registering the same content again changes nothing.',
  ],
  [
    '; send registrations in batches with `POST /register/batch`',
    '; `coordinator import` sends many at once',
  ],
  [', and send several requests over each connection', ', and run fewer commands at the same time'],
  ['lower `limit`, or choose `fields`', 'add a filter, or lower --limit'],
  ['lower `limit` or `depth`', 'lower --limit or --depth'],
  [
    ' You can also read `GET /services` page by page, or follow `GET /changes` from a position instead of reading everything again.',
    ' `coordinator changes --after POSITION` shows only what is new.',
  ],
  ['Read `GET /snapshot`, and follow from the position in its first line.', 'Begin again, without --after.'],
  ['Send the request to another coordinator', 'Give the URL of another coordinator with --url'],
  [
    'Read the state again, then send the new `X-Coordinator-Lineage`.',
    'Begin again, without a position of before.',
  ],
  ['Ask for a revision up to the one in `X-Coordinator-Revision`', 'Ask for a revision that exists'],
  ['Start again without `cursor`, and use the same filters for each page.', 'Run the command again.'],
  // The content
  [
    'Compare the body with its description at `/docs`. For a registration, `GET /register` shows every field with its type.',
    'Correct the field that the message names.',
  ],
  ['Correct the fields named in `errors`.', 'Correct the fields that the message names.'],
  [
    /(Correct|Change|Add) the field named in `errors`; `\/docs` describes the body\./,
    '$1 the field that the message names.',
  ],
  ['a position as `next` and `id:` give it', 'a position as `coordinator changes -o json` gives it'],
  ['Correct the parameter named in `errors`; `/docs` lists all parameters.', 'Run the command with --help.'],
  [/the (field|text|number) named in `errors`/, 'the $1 that the message names'],
  ['are refused everywhere in a body', 'are refused everywhere'],
  ['is refused everywhere in a body', 'is refused everywhere'],
  [
    '`detail` gives the reason: change the content and send it again.',
    'The message gives the reason: change the content.',
  ],
  [
    'Send at most 1 MiB, and no more values than `detail` allows; split a batch into several requests.',
    'A registration has at most 1 MiB, and no more values than the message allows.',
  ],
  [
    'Send one JSON object; check it with `jq . < body.json`.',
    'Give one JSON object; check it with `jq . < FILE`.',
  ],
  // The same question as a command
  [
    '`GET /knowledge-graph/neighbors?of=...` lists the edges of a node',
    '`coordinator graph neighbors NODE` lists the edges of a node',
  ],
  ['`GET /knowledge-graph` lists all nodes', '`coordinator graph export` lists all nodes'],
  ['`GET /services`', '`coordinator services`'],
  ['`GET /namespaces`', '`coordinator namespaces`'],
  ['`GET /changes`', '`coordinator changes`'],
  ['`GET /database`', '`coordinator status --verbose`'],
  ['`GET /health`', '`coordinator status`'],
  ['`GET /access`', '`coordinator status`'],
  ['`GET /metrics`', 'its metrics'],
  ['`POST /register`', '`coordinator register`'],
  ['`DELETE /services/SERVICE_ID`', '`coordinator deregister`'],
  [', or for a time up to now', ', or for a time that has passed'],
  [
    'Send `Authorization: Bearer TOKEN`; for commands, set COORDINATOR_TOKEN or give --token-file.',
    'Set COORDINATOR_TOKEN, or give --token-file.',
  ],
  [
    'Check that the whole token is sent, as `Authorization: Bearer TOKEN`.',
    'Check that COORDINATOR_TOKEN, or the file of --token-file, has the whole token.',
  ],
  ['Use a credential with the scope named in `detail`', 'Use a token with the scope that the message names'],
  [/^Send /, 'Give '],
]

/** A hint of a coordinator in the words of the command line. */
export function commandHint(hint: string): string {
  let text = hint
  for (const [request, command] of inCommands) text = text.replace(request, command)
  return text
}
