/**
 * What one thing costs, as fitted to `measured.json`. `test/bench/scale.test.ts` compares the formulas with every measured point. All
 * sizes are in bytes; a text byte is one byte of a registration as JSON.
 */
export const costs = {
  heap: {
    program: 28e6,
    service: 750,
    textByte: 1,
    /** A dependency on a service that is registered, beside its text. */
    dependency: 2,
    /** A revision that the memory backend keeps, beside its text. The other backends keep revisions in the database. */
    revision: 690,
    stream: 8_400,
  },
  /** Beside the heap: code, new objects and buffers of the process, and what the operating system keeps for a stream. */
  outside: { program: 160e6, stream: 17_000 },
  database: {
    /** Beside the text. */
    sqlite: { service: 132, revision: 288 },
    /** A text takes more than its length, because pages are not full. */
    postgres: { service: 297, revision: 340, textPart: 1.33 },
  },
  /** Compressed with Zstandard, as parts of the text. The texts of real systems repeat much. Random text takes three times as much. */
  archive: { baseByte: 0.165, journalByte: 0.45, file: 470 },
} as const

/** Half of what was measured is planned, so that a crowd that comes back after an outage finds room. */
const plannedPart = 0.5

/**
 * Per second, from the quiet measurements of `docs/benchmarks.md`, rounded down, and the row that shows each. Load generator and
 * coordinator share 2 cores there.
 */
export const rates = {
  writes: {
    memory: { measured: 26_000, section: 'Registering, in memory', row: 'coordinator, memory' },
    sqlite: {
      measured: 16_000,
      section: 'Registering, durable in one SQLite file',
      row: 'coordinator, SQLite',
    },
    postgres: {
      measured: 10_000,
      section: 'Registering, durable in PostgreSQL',
      row: 'coordinator, PostgreSQL',
    },
    supabase: {
      measured: 4_500,
      section: 'Registering, durable through the Data API of Supabase',
      row: 'coordinator, Supabase',
    },
  },
  reads: { measured: 65_000, section: 'Reading one service', row: 'coordinator, memory' },
} as const

/** A change reached the last of 10,000 readers after this time, in seconds: section "Readers of the journal". */
export const deliverySeconds = 0.11

export const planned = {
  services: 1_000_000,
  /** The default of CONNECTIONS_MAX, and the largest number that was measured. */
  readers: 10_000,
  reads: rates.reads.measured * plannedPart,
  /** Changes that one program sends to all its readers, in a second. */
  events: Math.floor((10_000 / deliverySeconds) * plannedPart),
  writes: (backend: keyof typeof rates.writes) => rates.writes[backend].measured * plannedPart,
}

/**
 * Seconds from the start of the process until it serves. SQLite: section "Many services, from one SQLite file". The others: that, and
 * how much longer the store takes to load 100,000 services, in section "The stores alone". Starts from PostgreSQL and SQLite with
 * 100,000 services, in turn on a busy machine, had the same ratio (2.8).
 */
export const startSeconds = {
  program: 0.4,
  service: { memory: 0, sqlite: 7e-6, postgres: 24e-6, supabase: 32e-6 },
} as const
