import type { JsonValue } from '../../../base/json.ts';
import { goJson } from '../goJson.ts';
import { asNode, assignContent, nowhere, setText, type Node, type Place } from '../node.ts';
import { jsonOfNode } from '../nodeJson.ts';
import { printNode } from '../nodePrint.ts';
import { readYaml } from '../patchText.ts';
import { lookUp, matchPath, type MatchOptions } from '../pathLookup.ts';
import { BuildFailure, fail } from '../problem.ts';
import { splitComments, type CommentedText } from '../textComments.ts';

/** Sets a field inside a text that is YAML or JSON itself; false when the path does not lead into such a text. */
export function copyIntoText(
  root: Node,
  value: Node,
  parts: readonly string[],
  options: MatchOptions,
): boolean {
  for (let length = 1; length < parts.length; length++) {
    const field = attempt(() => lookUp(root, parts.slice(0, length), options.place));
    if (field === undefined || field.kind !== 'scalar') continue;
    const document = parseDocument(field);
    if (document === undefined) continue;
    const fields = attempt(() => matchPath(document, parts.slice(length), options)) ?? [];
    if (fields.length === 0) return false;
    const comments = commentsOf(field.text, document);
    for (const each of fields) {
      if (each.kind === 'scalar') each.text = value.text;
      else assignContent(each, value);
    }
    const printed = attempt(() => printLike(field, document, comments, options.place));
    if (printed === undefined) return false;
    setText(field, printed, value.source === undefined ? nowhere : value, options.edit);
    return true;
  }
  return false;
}

/** What the step gives; undefined when it fails for a reason that upstream passes over, too. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BuildFailure && error.problem.code !== 'build-not-supported') return undefined;
    throw error;
  }
}

/** The document in a text, as nodes that may be changed; undefined when it is none. */
export function parseDocument(field: Node): Node | undefined {
  const document = attempt(() => readYaml({ path: field.source?.path ?? '', text: field.text, line: 0 }));
  return document === undefined ? undefined : copyOf(asNode(document));
}

function copyOf(node: Node): Node {
  return { ...node, items: node.items.map(copyOf) };
}

/** Takes the comments out of a text whose lines a printer would only indent anew. */
function commentsOf(text: string, document: Node): CommentedText | undefined {
  const comments = hasComments(text) ? splitComments(text, document) : undefined;
  const lines = printNode(document).trim().split('\n');
  const isSame =
    comments?.lines.length === lines.length &&
    lines.every((line, index) => line.trimStart() === comments.lines[index]);
  return isSame ? comments : undefined;
}

function hasComments(text: string): boolean {
  return /(?:^|[ \t])#/m.test(text);
}

function printLike(field: Node, document: Node, comments: CommentedText | undefined, place: Place): string {
  const original = field.text;
  if (/^\s*[{[]/.test(original)) {
    const value: JsonValue = jsonOfNode(document);
    return original.includes('\n') && original.includes('  ') ? goJson(value, '  ') : goJson(value);
  }
  const printed = printNode(document).trim();
  if (!hasComments(original)) return printed;
  return (
    comments?.restore(printed) ??
    fail(
      'build-not-supported',
      'a replacement inside a text with comments in such places is not supported',
      place,
      'put comments right above an entry or behind a value, or replace the whole text',
    )
  );
}
