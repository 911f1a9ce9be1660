import type { Diagnosed, Diagnostic } from '../base/diagnostic.ts';
import type { JsonValue } from '../base/json.ts';
import type { Range } from '../base/position.ts';
import { parsePointer } from './jsonPointer.ts';
import { rangeInText, rangeOfNode, type YamlNode, type YamlText } from './yamlNode.ts';
import { YamlReader } from './yamlReader.ts';
import { YamlSyntaxError } from './yamlScanner.ts';
import { isMergeKey, jsonOfYaml, type YamlProblem } from './yamlValue.ts';

/** One document of a YAML or JSON file: its value as sigs.k8s.io/yaml reads it, and where each part stands. */
export interface YamlDocument {
  readonly value: JsonValue;
  readonly node: YamlNode;
  readonly range: Range;
}

/** The place of a value and, in a mapping, of its key. */
export interface YamlLocation {
  readonly key: Range | undefined;
  readonly value: Range;
}

/**
 * Reads the documents of a YAML or JSON file with Kubernetes' rules (sigs.k8s.io/yaml: YAML 1.1 words, `010` is 8,
 * integers beyond 2^53 as bigint). Empty documents are left out. What is wrong is told as diagnostics, all of it:
 * a document with a syntax error is left out and reading goes on at the next `---`.
 */
export function parseYaml(path: string, text: string): Diagnosed<readonly YamlDocument[]> {
  const value: YamlDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  let line = 0;
  let rest = text;
  for (;;) {
    const source: YamlText = { path, text: rest, line };
    const invalid = findInvalidCharacter(source);
    if (invalid !== undefined) return { value, diagnostics: [...diagnostics, invalid] };
    const failedAt = readDocuments(source, value, diagnostics);
    const next = failedAt === undefined ? -1 : nextMarker(rest, failedAt);
    if (next < 0) return { value, diagnostics };
    line += countBreaks(rest, next);
    rest = rest.slice(next);
  }
}

/** The place that a JSON pointer leads to in a document, through aliases and merge keys; undefined when there is none. */
export function locateInYaml(document: YamlDocument, pointer: string): YamlLocation | undefined {
  const tokens = parsePointer(pointer);
  if (tokens === undefined) return undefined;
  let key: YamlNode | undefined;
  let node: YamlNode | undefined = document.node;
  for (const token of tokens) {
    const member = memberOf(node, token);
    if (member === undefined) return undefined;
    [key, node] = member;
  }
  const value = rangeOfNode(node);
  return value === undefined ? undefined : { key: key === undefined ? undefined : rangeOfNode(key), value };
}

/** A problem as a diagnostic at its node. */
export function diagnosticOfProblem(problem: YamlProblem): Diagnostic {
  const { node, code, message, hint } = problem;
  return {
    code,
    severity: 'error',
    message,
    path: node.source?.path ?? '',
    range: rangeOfNode(node) ?? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    ...(hint !== undefined && { hint }),
  };
}

/** A syntax error as a diagnostic from where it was found to the end of that line. */
export function diagnosticOfSyntaxError(source: YamlText, error: YamlSyntaxError): Diagnostic {
  const lineEnd = /[\r\n]|$/g;
  lineEnd.lastIndex = error.offset;
  const end = lineEnd.exec(source.text)?.index ?? error.offset;
  return {
    code: 'yaml-syntax',
    severity: 'error',
    message: error.message,
    path: source.path,
    range: rangeInText(source, error.offset, Math.max(end, error.offset)),
    ...(error.hint !== undefined && { hint: error.hint }),
  };
}

/** The offset of the first character that YAML does not allow (control characters, lone surrogates), or -1. */
export function invalidCharacterAt(text: string): number {
  return text.search(
    /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/,
  );
}

/** What to say about a character that YAML does not allow. */
export function describeInvalidCharacter(text: string, offset: number): { message: string; hint: string } {
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
  return {
    message: `the character U+${code} is not allowed in YAML`,
    hint: 'is this a binary file? Text may hold it as an escape between double quotes',
  };
}

function findInvalidCharacter(source: YamlText): Diagnostic | undefined {
  const offset = invalidCharacterAt(source.text);
  if (offset < 0) return undefined;
  return {
    code: 'yaml-invalid-character',
    severity: 'error',
    path: source.path,
    range: rangeInText(source, offset, offset + 1),
    ...describeInvalidCharacter(source.text, offset),
  };
}

/** Reads to the end of the stream; gives the offset of a syntax error. */
function readDocuments(
  source: YamlText,
  value: YamlDocument[],
  diagnostics: Diagnostic[],
): number | undefined {
  const reader = new YamlReader(source);
  try {
    for (let node = reader.readDocument(); node !== undefined; node = reader.readDocument()) {
      if (reader.after() === 'text')
        throw new YamlSyntaxError(
          reader.position,
          'unexpected text behind the end of the document',
          'check the indentation',
        );
      addDocument(node, value, diagnostics);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    diagnostics.push(diagnosticOfSyntaxError(source, error));
    return error.offset;
  }
}

function addDocument(node: YamlNode, value: YamlDocument[], diagnostics: Diagnostic[]): void {
  const problems: YamlProblem[] = [];
  const json = jsonOfYaml(node, problems);
  diagnostics.push(...problems.map(diagnosticOfProblem));
  const range = rangeOfNode(node);
  if (json !== undefined && json !== null && range !== undefined) value.push({ value: json, node, range });
}

function nextMarker(text: string, from: number): number {
  const marker = /^---(?=[ \t\r\n]|$)/gm;
  marker.lastIndex = from;
  const match = marker.exec(text);
  if (match === null) return -1;
  return match.index === 0 && from === 0 ? (marker.exec(text)?.index ?? -1) : match.index;
}

function countBreaks(text: string, end: number): number {
  return text.slice(0, end).match(/\r\n|[\r\n]/g)?.length ?? 0;
}

function memberOf(node: YamlNode | undefined, token: string): [YamlNode | undefined, YamlNode] | undefined {
  if (node === undefined) return undefined;
  if (node.kind === 'alias') return memberOf(node.target, token);
  if (node.kind === 'seq') {
    const item = /^(?:0|[1-9]\d*)$/.test(token) ? node.items[Number(token)] : undefined;
    return item === undefined ? undefined : [undefined, item];
  }
  let found: [YamlNode, YamlNode] | undefined;
  let merged: [YamlNode | undefined, YamlNode] | undefined;
  for (let index = 0; index + 1 < node.items.length; index += 2) {
    const key = node.items[index] as YamlNode;
    const value = node.items[index + 1] as YamlNode;
    if (key.text === token) found = [key, value];
    else if (isMergeKey(key))
      for (const source of value.kind === 'seq' ? value.items : [value]) merged ??= memberOf(source, token);
  }
  return found ?? merged;
}
