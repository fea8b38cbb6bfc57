import { workerData } from 'node:worker_threads'
import { serveThread } from '../../workers/serve-requests.ts'
import { trimHeapAtRest } from '../../workers/trim-heap.ts'
import { Engine, type EngineOptions } from './engine.ts'

// The thread that owns the database file.
serveThread(new Engine(workerData as EngineOptions), { fallback: 'COORD_STORE_FAULT' })
trimHeapAtRest()
