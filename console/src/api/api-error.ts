/** Why a question to the coordinator has no answer: one code, one sentence, and what to do about it. */
export class ApiError extends Error {
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number
  /** A code of `/docs/errors`, or `CONSOLE_...` for a fault between the browser and the coordinator. */
  readonly code: string
  readonly detail: string
  readonly hint: string
  /** The faults by path, for answers to forms. */
  readonly errors: readonly { readonly path: string; readonly message: string }[]

  constructor(
    fault: Pick<ApiError, 'status' | 'code' | 'detail' | 'hint'> & Partial<Pick<ApiError, 'errors'>>,
  ) {
    super(fault.detail)
    this.name = 'ApiError'
    this.status = fault.status
    this.code = fault.code
    this.detail = fault.detail
    this.hint = fault.hint
    this.errors = fault.errors ?? []
  }
}

/**
 * The error of an answer that is not 2xx. A proxy may have answered instead of the coordinator, so nothing is taken for granted.
 *
 * @param onBroken called if the answer ends early, or is no JSON; what it throws, this throws
 */
export async function errorOf(response: Response, onBroken: (thrown: unknown) => void): Promise<ApiError> {
  const { status } = response
  const body: unknown = await response.json().catch(onBroken)
  if (!isProblem(body))
    return new ApiError({
      status,
      code: 'CONSOLE_FOREIGN_ANSWER',
      detail: `The answer has status ${status}, and is not from a coordinator.`,
      hint: 'Check the proxy between this browser and the coordinator.',
    })
  return new ApiError({ status, ...body })
}

export function unreachable(): ApiError {
  return new ApiError({
    status: 0,
    code: 'CONSOLE_UNREACHABLE',
    detail: 'The coordinator does not answer.',
    hint: 'Check that it runs, and that this computer reaches it. The console tries again by itself.',
  })
}

export function tooSlow(seconds: number): ApiError {
  return new ApiError({
    status: 0,
    code: 'CONSOLE_TOO_SLOW',
    detail: `The coordinator did not answer within ${seconds} seconds.`,
    hint: 'Ask for less, or try again when it has less to do.',
  })
}

function isProblem(body: unknown): body is Pick<ApiError, 'code' | 'detail' | 'hint'> {
  if (typeof body !== 'object' || body === null) return false
  const { code, detail, hint } = body as Record<string, unknown>
  return typeof code === 'string' && typeof detail === 'string' && typeof hint === 'string'
}
