import { fileURLToPath } from 'node:url'
import type { ServerCommand } from '../server-process.ts'

/** The command that starts a peer from `bench/peers`. */
export function bareServer(name: string, env: Readonly<Record<string, string>> = {}): ServerCommand {
  return {
    command: [process.execPath, fileURLToPath(new URL(`../peers/${name}.ts`, import.meta.url))],
    env,
    readyPath: '/',
  }
}
