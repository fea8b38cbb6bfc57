import { readFileSync } from 'node:fs'

/** The unit that ships. */
export const unitPath = 'deploy/coordinator.service'
export const environmentFilePath = 'deploy/coordinator.env'

/** One line of a unit file: `Restart=always`. */
export interface Directive {
  readonly section: string
  readonly name: string
  readonly value: string
}

/** A unit file, line by line. systemd itself checks the syntax: `systemd-analyze verify`. */
export class UnitFile {
  readonly directives: readonly Directive[]

  constructor(text: string) {
    let section = ''
    this.directives = text.split('\n').flatMap((line) => {
      section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? []
      return name === undefined || value === undefined ? [] : [{ section, name, value }]
    })
  }

  static read(): UnitFile {
    return new UnitFile(readFileSync(unitPath, 'utf8'))
  }

  /** Every value that a directive has, in order. */
  all(name: string): string[] {
    return this.directives.filter((each) => each.name === name).map(({ value }) => value)
  }

  /** The value of a directive that stands there once. */
  one(name: string): string {
    const [value, ...more] = this.all(name)
    if (value === undefined || more.length > 0) throw new Error(`${name}= must stand in the unit once`)
    return value
  }

  /** The variables of `Environment=`, with the specifiers of systemd. */
  environment(): Record<string, string> {
    return assignments(this.all('Environment').join('\n'))
  }
}

/** `NAME=value`, line by line, as systemd reads an `EnvironmentFile=`. */
export function assignments(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_0-9]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
}
