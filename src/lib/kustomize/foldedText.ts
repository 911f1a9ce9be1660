import { YamlReader } from '../../kube/yamlReader.ts';

/** What go-yaml v3 writes as a block: printable characters of the basic plane, no space before a break or the end. */
const blockText = /^(?:[\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd])*$/;

/** True where go-yaml v3 keeps the folded style of a text; it quotes the others. */
export function staysFolded(text: string): boolean {
  return text !== '' && blockText.test(text) && !/ (?:\n|$)/.test(text) && !/[\u2028\u2029]/.test(text);
}

/**
 * A text as a folded block, header and lines, as go-yaml v3 writes it. It doubles the breaks of lines that are not indented
 * even where the next line is, so that reading the block gives another text than was written.
 */
export function foldedBlock(text: string, indent: number): string {
  const first = /[^\n]/.exec(text)?.[0] ?? '';
  const doubles = first !== '' && first !== ' ' && first !== '\t';
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomping = text.endsWith('\n\n') || text === '\n' ? '+' : text.endsWith('\n') ? '' : '-';
  let block = `>${hint}${chomping}\n`;
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    if (line !== '') block += ' '.repeat(indent) + line;
    if (index === lines.length - 1) return;
    block += line !== '' && !/^[ \t]/.test(line) && doubles ? '\n\n' : '\n';
  });
  return block;
}

/** What is left of a folded text once upstream has printed it and read it again. */
export function rereadFolded(text: string): string {
  const block = foldedBlock(text, 2);
  const written = `a: ${block}${block.endsWith('\n') ? '' : '\n'}`;
  const document = new YamlReader({ path: '', text: written, line: 0 }).readDocument();
  return document?.items[1]?.text ?? text;
}
