/** A part of a text that a template engine or a shell should have replaced: `${X}`, `$(X)`, `{{x}}` or `<x>`. */
export const TEMPLATE = /\$\{[^{}]*\}|\$\([^()]*\)|\{\{[^{}]*\}\}|<[a-z_][\w .:-]*>/gi
