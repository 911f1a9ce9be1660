/** What the editor makes a link of by itself, also in text whose markup is escaped: the character that starts it. */
const linkStarts = /:(?=\/\/)|(?<=\bwww)\.|@/gi;

/** A single space within a line, as the editor escapes it: a long message of them would never wrap. */
const innerSpace = /(?<!^|&nbsp;)&nbsp;(?!&nbsp;)/gm;

/**
 * Text that the editor escaped, as markdown that shows it as it is: no address in it becomes a link, as values come from files
 * and clusters, and long lines wrap between words.
 */
export function plainMarkdown(escaped: string): string {
  return escaped.replace(innerSpace, ' ').replace(linkStarts, (character) => `&#${character.charCodeAt(0)};`);
}
