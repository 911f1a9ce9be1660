import type { JsonValue } from '../../base/json.ts';
import { invalidCharacterAt } from '../../kube/yaml.ts';
import type { YamlNode, YamlText } from '../../kube/yamlNode.ts';
import { YamlReader } from '../../kube/yamlReader.ts';
import { YamlSyntaxError } from '../../kube/yamlScanner.ts';
import { jsonOfYaml } from '../../kube/yamlValue.ts';
import { objectsOf, readPiece, splitDocuments, type PieceContent } from './documents.ts';
import type { PatchOperation } from './jsonPatch.ts';
import { asNode, fieldOf, type Node, type Place } from './node.ts';
import { nodeOfJson } from './normalize.ts';
import { BuildFailure, fail } from './problem.ts';
import { Resource } from './resource.ts';

/** A patch that has been read: objects to merge, or operations. */
export type ParsedPatch =
  | { readonly type: 'merge'; readonly patches: readonly Resource[] }
  | { readonly type: 'json'; readonly operations: readonly PatchOperation[] };

/** Reads the text of a patch, which tells by its form what kind it is. Throws BuildFailure. */
export function parsePatch(source: YamlText, place: Place): ParsedPatch {
  // The text of an inline patch stands behind the empty lines it had before it was trimmed.
  const start = source.inside === undefined ? source.text : source.text.replace(/^\n+/, '');
  const merge = attempt(() => parseMergePatches(source));
  if (!(merge instanceof BuildFailure)) {
    if (merge.length > 0) return { type: 'merge', patches: merge };
    const operations = attempt(() => parseOperations(source, place, start));
    return operations instanceof BuildFailure || operations.length === 0
      ? { type: 'merge', patches: merge }
      : { type: 'merge', patches: [] };
  }
  const operations = attempt(() => parseOperations(source, place, start));
  if (!(operations instanceof BuildFailure)) return { type: 'json', operations };
  throw /^\s*[-[]/.test(source.text) ? operations : merge;
}

function attempt<T>(read: () => T): T | BuildFailure {
  try {
    return read();
  } catch (error) {
    if (error instanceof BuildFailure) return error;
    throw error;
  }
}

/** The objects of a text that holds strategic merge patches. */
export function parseMergePatches(source: YamlText): readonly Resource[] {
  const pieces: PieceContent[] = splitDocuments(source.path, source.text).map(({ text, line }) =>
    readPiece(text === source.text ? source : subText(source, text, line)),
  );
  const problem = pieces.find((piece) => piece.problem !== undefined)?.problem;
  if (problem !== undefined) throw new BuildFailure(problem);
  const nodes = pieces.flatMap(({ node }) => (node === undefined ? [] : [node]));
  return objectsOf(nodes, pieces.length).map((node) => new Resource(node));
}

/** One document of a text. A document inside a scalar keeps its lines by standing behind as many empty ones. */
function subText(source: YamlText, text: string, line: number): YamlText {
  if (source.inside === undefined) return { path: source.path, text, line: source.line + line };
  return { path: source.path, text: '\n'.repeat(line) + text, line: source.line, inside: source.inside };
}

/** The operations of a JSON 6902 patch in YAML or, where its text starts with a bracket, JSON. */
export function parseOperations(
  source: YamlText,
  place: Place,
  start: string = source.text,
): readonly PatchOperation[] {
  if (source.text === '') fail('build-invalid-patch', 'the patch is empty', place);
  if (start.startsWith('[')) requireJson(source, 'a patch that starts with [');
  const root = readYaml(source);
  const value = root === undefined ? null : convert(root);
  if (root === undefined || value === null) return [];
  if (!Array.isArray(value) || root.kind !== 'seq')
    return fail('build-invalid-patch', 'a JSON 6902 patch is a list of operations', root);
  return (value as readonly JsonValue[]).map((operation, index) =>
    operationOf(operation, asNode(root.items[index] as YamlNode)),
  );
}

function operationOf(value: JsonValue, given: Node): PatchOperation {
  const node = given.kind === 'alias' ? (given.target as Node) : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail('build-invalid-patch', 'an operation has op, path and value', node);
  const members = value as Readonly<Record<string, JsonValue | undefined>>;
  const text = (name: string): string | undefined => {
    const member = members[name];
    if (member === undefined || member === null) return undefined;
    return typeof member === 'string'
      ? member
      : fail('build-invalid-patch', `${name} must be text`, fieldOf(node, name) ?? node);
  };
  const written = members['value'];
  return {
    op: text('op') ?? 'unknown',
    path: text('path'),
    from: text('from'),
    value:
      written === undefined || written === null
        ? undefined
        : nodeOfJson(written, fieldOf(node, 'value'), 0, node),
    place: node,
  };
}

/** The first document of a text; undefined when there is none. */
export function readYaml(source: YamlText): YamlNode | undefined {
  const invalid = invalidCharacterAt(source.text);
  if (invalid >= 0)
    fail('build-invalid-file', 'a control character is not allowed in YAML', {
      source,
      start: invalid,
      end: invalid + 1,
    });
  try {
    return new YamlReader(source).readDocument();
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    const end = source.text.indexOf('\n', error.offset);
    const place = { source, start: error.offset, end: end < 0 ? source.text.length : end };
    return fail('build-invalid-file', error.message, place, error.hint);
  }
}

/** The JSON of a document by go-yaml v2's rules. Throws BuildFailure for what is no JSON. */
export function convert(root: YamlNode): JsonValue {
  const problems: Parameters<typeof jsonOfYaml>[1] = [];
  const value = jsonOfYaml(root, problems);
  const problem = problems.find(({ code }) => code !== 'yaml-duplicate-key');
  if (problem !== undefined) fail('build-invalid-file', problem.message, problem.node, problem.hint);
  return value ?? null;
}

/** Refuses a text that upstream takes for JSON by its first character and that is none. */
export function requireJson(source: YamlText, what: string): void {
  try {
    JSON.parse(source.text);
  } catch {
    fail(
      'build-invalid-file',
      `${what} must be JSON`,
      { source, start: 0, end: source.text.length },
      'quote keys and texts, or write YAML in lines',
    );
  }
}
