/** About 260 KiB, and quick to take: it makes one node and no edge. @param content makes it another one */
export function fatRegistration(serviceName: string, content: string | number = '') {
  return {
    serviceName,
    version: '1.0.0',
    endpoint: `http://${serviceName}:3000`,
    description: `${content}`,
    migrationFile: { text: 'm'.repeat(262_000) },
  }
}

/**
 * The largest registration that is accepted, about 0.9 MiB: a migration file of 256 KiB, and 256 dependencies whose texts have
 * as many characters as they may, of four bytes each.
 *
 * @param content makes it another one
 */
export function largeRegistration(serviceName: string, content: string | number = '') {
  const wide = '\u{1f4a1}'
  return {
    ...fatRegistration(serviceName, content),
    dependencies: Array.from({ length: 256 }, (_, index) => ({
      serviceName: `${wide.repeat(250)}${index}`,
      version: wide.repeat(255),
      type: `depends_on_${'t'.repeat(80)}`,
    })),
  }
}
