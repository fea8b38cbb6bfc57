import { join, resolve } from 'node:path'
import { build } from 'vite'

/** Builds the console into an empty folder. @param folder where its index.html will be */
export async function buildConsole(folder: string): Promise<void> {
  await build({
    configFile: join(import.meta.dirname, '../console/vite.config.ts'),
    build: { outDir: resolve(folder) },
  })
}
