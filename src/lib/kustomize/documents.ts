import { describeInvalidCharacter, invalidCharacterAt } from '../../kube/yaml.ts';
import { yamlStyle, type YamlText } from '../../kube/yamlNode.ts';
import { YamlReader } from '../../kube/yamlReader.ts';
import { tags } from '../../kube/yamlScalar.ts';
import { YamlSyntaxError } from '../../kube/yamlScanner.ts';
import { expandAliases } from './expandAliases.ts';
import { asNode, fieldOf, isEmpty, type Node, type Place } from './node.ts';
import { jsonOfNode } from './nodeJson.ts';
import { nodeOfJson } from './normalize.ts';
import { BuildFailure, fail, type BuildProblem } from './problem.ts';

/** A stretch of a file between two document separators. */
export interface Piece {
  readonly text: string;
  readonly line: number;
}

/** What a piece of text holds: a document, nothing, or an error. */
export interface PieceContent {
  readonly source: YamlText;
  readonly node: Node | undefined;
  readonly problem: BuildProblem | undefined;
  /** Text behind the document that upstream leaves unread, too. */
  readonly ignored: BuildProblem | undefined;
}

/** Cuts a file at its separators as kyaml does, before any of it is parsed. */
export function splitDocuments(path: string, text: string): readonly Piece[] {
  if (text === '') return [];
  const separator = /\n---[^\n]*\n/g;
  const pieces: Piece[] = [];
  let start = 0;
  let line = 0;
  for (let match = separator.exec(text); match !== null; match = separator.exec(text)) {
    const comment = match[0].slice(4).trim();
    if (comment !== '' && !comment.startsWith('#'))
      throw new BuildFailure({
        code: 'build-invalid-file',
        message: `invalid document separator: ${match[0].trim()}`,
        place: {
          source: { path, text, line: 0 },
          start: match.index + 1,
          end: match.index + match[0].length - 1,
        },
        hint: 'only a comment may follow ---',
      });
    const piece = text.slice(start, match.index + 1);
    pieces.push({ text: piece, line });
    line += countLines(piece) + 1;
    start = separator.lastIndex;
  }
  pieces.push({ text: text.slice(start), line });
  return pieces;
}

function countLines(text: string): number {
  let count = 0;
  for (let index = text.indexOf('\n'); index >= 0; index = text.indexOf('\n', index + 1)) count++;
  return count;
}

/** Parses one piece; an error is kept with it. */
export function readPiece(source: YamlText): PieceContent {
  const invalid = invalidCharacterAt(source.text);
  if (invalid >= 0) {
    const { message, hint } = describeInvalidCharacter(source.text, invalid);
    return failed(source, {
      code: 'build-invalid-file',
      message,
      hint,
      place: placeOf(source, invalid, invalid + 1),
    });
  }
  try {
    const reader = new YamlReader(source);
    const read = reader.readDocument();
    if (read === undefined || read.tag === tags.null)
      return { source, node: undefined, problem: undefined, ignored: undefined };
    const node = reader.hasAliases ? expandAliases(read) : asNode(read);
    const ignored = reader.after() === 'text' ? ignoredText(source, reader.position) : undefined;
    return { source, node, problem: undefined, ignored };
  } catch (error) {
    if (error instanceof BuildFailure) return failed(source, error.problem);
    if (!(error instanceof YamlSyntaxError)) throw error;
    const end = source.text.indexOf('\n', error.offset);
    return failed(source, {
      code: 'build-invalid-file',
      message: error.message,
      place: placeOf(source, error.offset, end < 0 ? source.text.length : end),
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

function failed(source: YamlText, problem: BuildProblem): PieceContent {
  return { source, node: undefined, problem, ignored: undefined };
}

function placeOf(source: YamlText, start: number, end: number): Place {
  return { source, start, end };
}

function ignoredText(source: YamlText, position: number): BuildProblem {
  return {
    code: 'build-text-ignored',
    severity: 'warning',
    message: 'text behind the end of the document is ignored',
    place: placeOf(source, position, source.text.length),
    hint: 'start a new document with ---, or check the indentation',
  };
}

/**
 * The objects of a file's documents as upstream takes them apart: lists are replaced by their items, empty documents
 * left out. Throws BuildFailure for what is no object.
 */
export function objectsOf(documents: readonly Node[], pieceCount: number): readonly Node[] {
  const nodes: Node[] = [];
  for (const document of documents) {
    const items = fieldOf(document, 'items');
    const kind = fieldOf(document, 'kind')?.text;
    const isWrapped = pieceCount === 1 && (kind === 'List' || kind === 'ResourceList');
    if (isWrapped && (items !== undefined || fieldOf(document, 'functionConfig') !== undefined))
      nodes.push(...(items?.items ?? []));
    else nodes.push(document);
  }
  return inlineLists(validObjects(nodes));
}

/** Leaves out what is empty and refuses what has no kind or no name. */
function validObjects(nodes: readonly Node[]): readonly Node[] {
  return nodes.filter((node) => {
    if (isEmpty(node)) return false;
    requireObject(node);
    return true;
  });
}

/** Refuses a node that names no object. */
export function requireObject(node: Node): void {
  const kind = fieldOf(node, 'kind');
  const apiVersion = fieldOf(node, 'apiVersion');
  const metadata = fieldOf(node, 'metadata');
  if (isEmpty(kind) && isEmpty(apiVersion) && isEmpty(metadata))
    fail(
      'build-invalid-object',
      'this document is no Kubernetes object: it has no apiVersion, kind and metadata',
      node,
      'a file that is no manifest does not belong into resources',
    );
  if (isEmpty(kind) || kind?.text === '')
    fail('build-invalid-object', 'the object has no kind', node, 'add kind');
  if (kind?.text.endsWith('List') === true) return;
  const name = fieldOf(metadata, 'name');
  if (isEmpty(name) || name?.text === '')
    fail(
      'build-invalid-object',
      `the ${kind?.text ?? ''} has no metadata.name`,
      kind ?? node,
      'give it a name; generateName is not supported by kustomize',
    );
}

/** Replaces kinds that end in List and have items by those; they come after everything else of the file. */
function inlineLists(nodes: readonly Node[]): readonly Node[] {
  const queue = [...nodes];
  const result: Node[] = [];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    const items = fieldOf(node, 'items');
    if (!(fieldOf(node, 'kind')?.text ?? '').endsWith('List') || items === undefined) {
      result.push(node);
      continue;
    }
    if (items.tag === tags.null) continue;
    if (items.kind !== 'seq') fail('build-invalid-object', 'items must be a list', items);
    jsonOfNode(node);
    for (const item of items.items)
      queue.push(...itemObjects(nodeOfJson(jsonOfNode(item), item, yamlStyle.flow)));
  }
  return result;
}

function itemObjects(item: Node): readonly Node[] {
  if (item.tag === tags.null) return [];
  const kind = fieldOf(item, 'kind')?.text;
  const items = fieldOf(item, 'items');
  const isWrapped = (kind === 'List' || kind === 'ResourceList') && items !== undefined;
  return validObjects(isWrapped ? items.items : [item]);
}
