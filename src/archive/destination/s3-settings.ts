import { Secret } from '../../config/secret.ts'
import { CoordinatorError } from '../../errors.ts'
import { quoted } from '../../text/quoted.ts'

/** A bucket, and who may use it. */
export interface S3Settings {
  readonly bucket: string
  /** What the names of all files begin with, without `/` at its ends; may be empty. */
  readonly prefix: string
  readonly region: string
  /** The URL that names of files are added to, with the bucket, without `/` at its end. */
  readonly bucketUrl: URL
  readonly accessKeyId: Secret
  readonly secretAccessKey: Secret
  /** Of temporary credentials. */
  readonly sessionToken?: Secret
}

type Environment = Readonly<Record<string, string | undefined>>

const bucketForm = /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/
const regionForm = /^[a-z0-9-]{1,64}$/i

/**
 * Reads `s3://bucket/prefix`, and the variables that other programs for S3 read: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN, AWS_REGION (or AWS_DEFAULT_REGION; `us-east-1` if none is set), AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL; AWS if
 * none is set).
 *
 * @throws COORD_CONFIG_INVALID
 */
export function readS3Settings(url: string, env: Environment): S3Settings {
  const { bucket, prefix } = bucketOf(url)
  const region = given(env, 'AWS_REGION') ?? given(env, 'AWS_DEFAULT_REGION') ?? 'us-east-1'
  if (!regionForm.test(region)) throw invalid('AWS_REGION is no name of a region')
  const sessionToken = given(env, 'AWS_SESSION_TOKEN')
  return {
    ...{ bucket, prefix, region },
    bucketUrl: bucketUrl(bucket, region, given(env, 'AWS_ENDPOINT_URL_S3') ?? given(env, 'AWS_ENDPOINT_URL')),
    accessKeyId: new Secret(required(env, 'AWS_ACCESS_KEY_ID')),
    secretAccessKey: new Secret(required(env, 'AWS_SECRET_ACCESS_KEY')),
    ...(sessionToken === undefined ? {} : { sessionToken: new Secret(sessionToken) }),
  }
}

function bucketOf(url: string): { bucket: string; prefix: string } {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.search !== '' || parsed.hash !== '')
    throw invalid('BACKUP_URL does not have the form s3://bucket/prefix')
  if (parsed.username !== '' || parsed.password !== '' || parsed.port !== '')
    throw invalid(
      'BACKUP_URL has more than a bucket and a prefix; keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    )
  // URLs of this kind keep the letters of the host as they are.
  const bucket = parsed.host
  if (!bucketForm.test(bucket)) throw invalid(`BACKUP_URL: ${quoted(bucket, 64)} is no name of a bucket`)
  // `URL` resolves `..` itself, and so the text that was given is looked at.
  const parts = decoded(url.slice(url.indexOf(bucket) + bucket.length))
    .split('/')
    .filter((part) => part !== '')
  if (parts.some((part) => part === '.' || part === '..'))
    throw invalid('BACKUP_URL has a prefix with . or ..')
  return { bucket, prefix: parts.join('/') }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw invalid('BACKUP_URL has a prefix with a % that encodes nothing')
  }
}

function bucketUrl(bucket: string, region: string, endpoint: string | undefined): URL {
  if (endpoint === undefined) {
    const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    // A name with dots is no name that the certificate of AWS covers.
    return bucket.includes('.')
      ? new URL(`https://s3.${region}.${domain}/${bucket}`)
      : new URL(`https://${bucket}.s3.${region}.${domain}`)
  }
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw invalid('AWS_ENDPOINT_URL_S3 is no http:// or https:// URL')
  if (url.username !== '' || url.password !== '')
    throw invalid('AWS_ENDPOINT_URL_S3 must not have a user or a password')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${bucket}`
  return url
}

function required(env: Environment, name: string): string {
  const value = given(env, name)
  if (value === undefined) throw invalid(`BACKUP_URL names a bucket of S3, but ${name} is not set`)
  return value
}

/** A variable that is set to nothing is not set. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}

function invalid(what: string): CoordinatorError {
  return new CoordinatorError('COORD_CONFIG_INVALID', {
    detail: `${what}.`,
    hint: 'Set BACKUP_URL=s3://bucket/prefix, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and AWS_ENDPOINT_URL_S3 unless it is AWS.',
  })
}
