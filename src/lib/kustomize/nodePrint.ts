import { quotedStyles, yamlStyle } from '../../kube/yamlNode.ts';
import { writeKey, writeScalar } from '../../kube/yamlPrintScalar.ts';
import { resolveTag, tags } from '../../kube/yamlScalar.ts';
import { foldedBlock, staysFolded } from './foldedText.ts';
import type { Node } from './node.ts';

/** A node as kyaml prints it, in the order and with the quotes it has; comments are left out. */
export function printNode(node: Node): string {
  if (node.kind === 'scalar') return `${printScalar(node, 2)}\n`;
  return printBlock(node, 0, false);
}

function printBlock(node: Node, indent: number, isInline: boolean): string {
  if (node.items.length === 0 || (node.style & yamlStyle.flow) !== 0) return `${printFlow(node)}\n`;
  return node.kind === 'seq' ? printList(node, indent, isInline) : printMapping(node, indent, isInline);
}

function printList(node: Node, indent: number, isInline: boolean): string {
  return node.items
    .map((item, index) => {
      const pad = isInline && index === 0 ? '' : ' '.repeat(indent);
      const text =
        item.kind === 'scalar' ? lineOf(printScalar(item, indent + 2)) : printBlock(item, indent + 2, true);
      return `${pad}-${text === '\n' ? '' : ' '}${text}`;
    })
    .join('');
}

function printMapping(node: Node, indent: number, isInline: boolean): string {
  let text = '';
  for (let index = 0; index + 1 < node.items.length; index += 2) {
    const key = node.items[index] as Node;
    const value = node.items[index + 1] as Node;
    text += `${isInline && index === 0 ? '' : ' '.repeat(indent)}${printScalar(key, indent)}:`;
    if (value.kind === 'scalar') {
      const scalar = lineOf(printScalar(value, indent + 2));
      text += scalar === '\n' ? scalar : ` ${scalar}`;
    } else if (value.items.length === 0 || (value.style & yamlStyle.flow) !== 0) {
      text += ` ${printFlow(value)}\n`;
    } else {
      text += `\n${printBlock(value, value.kind === 'seq' ? indent : indent + 2, false)}`;
    }
  }
  return text;
}

function lineOf(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function printFlow(node: Node): string {
  if (node.kind === 'scalar') return node.text === '' && !isQuoted(node) ? "''" : printScalar(node, 0, true);
  if (node.kind === 'seq') return `[${node.items.map(printFlow).join(', ')}]`;
  const pairs: string[] = [];
  for (let index = 0; index + 1 < node.items.length; index += 2)
    pairs.push(`${printFlow(node.items[index] as Node)}: ${printFlow(node.items[index + 1] as Node)}`);
  return `{${pairs.join(', ')}}`;
}

function isQuoted(node: Node): boolean {
  return (node.style & quotedStyles) !== 0;
}

/** One scalar in its own quotes, or in those it needs to stay what it is. */
export function printScalar(node: Node, indent: number, inFlow = false): string {
  const { text, style, tag } = node;
  if ((style & yamlStyle.doubleQuoted) !== 0) return doubleQuoted(text);
  if ((style & yamlStyle.singleQuoted) !== 0) return singleQuoted(text);
  if (text.includes('\n')) {
    const block = writeScalar(text, indent, 0);
    return (style & yamlStyle.folded) !== 0 && staysFolded(text) ? foldedBlock(text, indent) : block;
  }
  if ((style & (yamlStyle.literal | yamlStyle.folded)) !== 0 && !inFlow)
    return `${(style & yamlStyle.literal) !== 0 ? '|-' : '>-'}\n${' '.repeat(indent)}${text}`;
  if (tag === tags.str && resolveTag(text, 'v3') !== tags.str) return doubleQuoted(text);
  if (text === '') return '';
  if (inFlow && /[,?[\]{}]|:/.test(text)) return singleQuoted(text);
  const plain = writeKey(text);
  // go-yaml v3 quotes less than v2: words of YAML 1.1 stay plain.
  return plain === doubleQuoted(text) && resolveTag(text, 'v3') !== resolveTag(text, 'v2')
    ? text
    : unquoted(plain, node);
}

function unquoted(written: string, node: Node): string {
  return node.tag !== tags.str && resolveTag(node.text, 'v3') !== tags.str ? node.text : written;
}

function doubleQuoted(text: string): string {
  const written = writeScalar(`${text}\n `, 0, 0);
  return `${written.slice(0, -4)}"`;
}

function singleQuoted(text: string): string {
  return /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text)
    ? doubleQuoted(text)
    : `'${text.replaceAll("'", "''")}'`;
}
