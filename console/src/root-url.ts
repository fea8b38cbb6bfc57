// In a variable: Vite would take `new URL('...', import.meta.url)` for the address of a file that it must bundle.
const here = import.meta.url

/** The coordinator's own address, with its prefix and a slash at the end. The build puts every script into `console/assets/`. */
export const rootUrl = new URL('../../', here)
