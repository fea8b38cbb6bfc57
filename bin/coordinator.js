#!/usr/bin/env node
import { existsSync } from 'node:fs'
import './require-node.js'

// A checkout runs its TypeScript, so that a forgotten build can never be what is started; the package has only dist/.
const source = new URL('../src/main.ts', import.meta.url)
await import(existsSync(source) ? source.href : new URL('../dist/src/main.js', import.meta.url).href)
