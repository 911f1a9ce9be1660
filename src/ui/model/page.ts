/** A page of markdown, as commands show it behind a question. */
export function page(title: string, parts: readonly string[]): string {
  return `${[`# ${title}`, ...parts].join('\n\n')}\n`;
}

/** A part of a page with a heading of its own. */
export function section(title: string, text: string): string {
  return `## ${title}\n\n${text}`;
}

/** One line each. */
export function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

/** Names and values below each other. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 1;
  return rows.map(([name, value]) => `- ${`${name}:`.padEnd(width)} ${value}`).join('\n');
}

/** `1 object`, `2 objects`. */
export function countOf(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
