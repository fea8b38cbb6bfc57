/** How people reach a well-known program: the scheme of its URL, its usual port, and other ports that it opens. */
export interface KnownImage {
  /** The last part of the image's name: `redis` in `docker.io/library/redis:7`. */
  readonly images: readonly string[]
  readonly scheme: string
  readonly port: number
  readonly others?: readonly number[]
}

/** Images that say what they speak. docs/import.md shows this table, and a test keeps the two equal. */
export const KNOWN_IMAGES: readonly KnownImage[] = [
  {
    images: ['redis', 'valkey', 'keydb', 'dragonfly', 'redis-stack', 'redis-stack-server'],
    scheme: 'redis',
    port: 6379,
    others: [8001],
  },
  {
    images: ['postgres', 'postgresql', 'postgis', 'pgvector', 'timescaledb', 'pgbouncer'],
    scheme: 'postgres',
    port: 5432,
  },
  { images: ['cockroach'], scheme: 'postgres', port: 26257, others: [8080] },
  { images: ['mysql', 'mysql-server', 'mariadb', 'percona'], scheme: 'mysql', port: 3306, others: [33060] },
  { images: ['mongo', 'mongodb', 'mongodb-community-server'], scheme: 'mongodb', port: 27017 },
  { images: ['cassandra', 'scylla'], scheme: 'cassandra', port: 9042 },
  { images: ['rabbitmq'], scheme: 'amqp', port: 5672, others: [15672, 25672, 4369, 5671] },
  { images: ['kafka', 'cp-kafka', 'kafka-native', 'redpanda'], scheme: 'tcp', port: 9092 },
  { images: ['zookeeper', 'cp-zookeeper'], scheme: 'tcp', port: 2181, others: [2888, 3888, 8080] },
  { images: ['nats', 'nats-streaming'], scheme: 'nats', port: 4222, others: [6222, 8222] },
  { images: ['eclipse-mosquitto', 'mosquitto'], scheme: 'mqtt', port: 1883, others: [9001] },
  { images: ['memcached'], scheme: 'memcached', port: 11211 },
  { images: ['openldap'], scheme: 'ldap', port: 389, others: [636] },
  {
    images: ['mailhog', 'mailpit', 'maildev', 'mailcatcher'],
    scheme: 'smtp',
    port: 1025,
    others: [8025, 1080],
  },
  { images: ['smtp', 'postfix', 'exim-relay'], scheme: 'smtp', port: 25 },
  { images: ['clickhouse', 'clickhouse-server'], scheme: 'http', port: 8123, others: [9000, 9009] },
  { images: ['elasticsearch', 'opensearch'], scheme: 'http', port: 9200, others: [9300, 9600] },
  { images: ['minio'], scheme: 'http', port: 9000, others: [9001] },
  { images: ['etcd'], scheme: 'http', port: 2379, others: [2380] },
  { images: ['nginx', 'httpd', 'caddy', 'traefik'], scheme: 'http', port: 80, others: [443, 8080] },
]

/** What a port speaks if nothing else says so. Every other port speaks `http`. */
export const KNOWN_PORTS: ReadonlyMap<number, string> = new Map([
  [22, 'tcp'],
  [25, 'smtp'],
  [53, 'tcp'],
  [389, 'ldap'],
  [443, 'https'],
  [587, 'smtp'],
  [1025, 'smtp'],
  [1433, 'tcp'],
  [1883, 'mqtt'],
  [2181, 'tcp'],
  [3306, 'mysql'],
  [4222, 'nats'],
  [4317, 'grpc'],
  [5432, 'postgres'],
  [5672, 'amqp'],
  [6379, 'redis'],
  [8443, 'https'],
  [9042, 'cassandra'],
  [9092, 'tcp'],
  [11211, 'memcached'],
  [27017, 'mongodb'],
  [50051, 'grpc'],
])

const knownImages = new Map(KNOWN_IMAGES.flatMap((known) => known.images.map((image) => [image, known])))

/** @param name the name of an image, without its tag */
export function knownImage(name: string): KnownImage | undefined {
  return knownImages.get(name.slice(name.lastIndexOf('/') + 1).toLowerCase())
}

/** What a port speaks. */
export function schemeOfPort(port: number): string {
  return KNOWN_PORTS.get(port) ?? 'http'
}

/** Schemes with which the configuration of a client may call a service, beside those of the tables. */
const otherSchemes = [
  'http',
  'https',
  'grpc',
  'grpcs',
  'ws',
  'wss',
  'rediss',
  'amqps',
  'mqtts',
  'ldaps',
  'udp',
  'tls',
]

const usualSchemes = new Set([
  ...otherSchemes,
  ...KNOWN_PORTS.values(),
  ...KNOWN_IMAGES.map(({ scheme }) => scheme),
])

/** Other words for the same transport, in URLs, port names and `appProtocol`. */
const synonyms: Readonly<Record<string, string>> = {
  postgresql: 'postgres',
  mongo: 'mongodb',
  mariadb: 'mysql',
  h2c: 'grpc',
  http2: 'http',
  'kubernetes.io/h2c': 'grpc',
  'kubernetes.io/ws': 'ws',
  'kubernetes.io/wss': 'wss',
  'grpc-web': 'http',
  kafka: 'tcp',
  rabbitmq: 'amqp',
}

/** The scheme that a word means, such as `postgresql` in a URL or `grpc` as the name of a port; `undefined` if it means none. */
export function schemeOfWord(word: string): string | undefined {
  const lower = word.toLowerCase()
  const scheme = Object.hasOwn(synonyms, lower) ? (synonyms[lower] as string) : lower
  return usualSchemes.has(scheme) ? scheme : undefined
}
