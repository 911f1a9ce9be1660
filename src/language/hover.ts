import { MarkupKind, type Hover } from 'vscode-languageserver-types';
import type { Position } from '../base/position.ts';
import { apiVersionOf } from '../kube/object.ts';
import { cursorContext } from './model/cursorContext.ts';
import { nodeAtPosition } from './model/nodeAtPosition.ts';
import { isKustomizationPath } from './model/fileNames.ts';
import type { ParsedFile } from './model/parseFile.ts';
import { formatPath, rangeOf, textAt, type Path } from './model/yamlAccess.ts';
import type { WorkspaceIndex } from './model/workspaceIndex.ts';
import { fieldDoc } from './schemas/fieldDocs.ts';
import { describeType, schemaAt, type KindSchema, type Schema } from './schemas/schema.ts';

/** What there is to know about the field at a position. */
export function hoverAt(workspace: WorkspaceIndex, file: ParsedFile, position: Position): Hover | undefined {
  const place = placeAt(workspace, file, position);
  if (place === undefined) return undefined;
  const { kind, path, range } = place;
  const value = isAboutKind(path) ? describeKind(kind) : describeField(kind, path);
  return value === undefined
    ? undefined
    : { contents: { kind: MarkupKind.Markdown, value }, ...(range !== undefined && { range }) };
}

interface Place {
  readonly kind: KindSchema;
  readonly path: Path;
  readonly range?: Hover['range'];
}

/** The place from the parsed document, or, where that cannot be read, from the lines. */
function placeAt(workspace: WorkspaceIndex, file: ParsedFile, position: Position): Place | undefined {
  for (const { node } of file.documents) {
    const found = nodeAtPosition(node, position);
    if (found === undefined) continue;
    const kind = kindSchema(workspace, file.path, textAt(node, ['apiVersion']), textAt(node, ['kind']));
    return kind && { kind, path: found.path, range: rangeOf(found.node) };
  }
  if (file.problems.length === 0) return undefined;
  const context = cursorContext(file.text, position);
  const kind = context && kindSchema(workspace, file.path, context.apiVersion, context.kind);
  return context && kind && { kind, path: context.path };
}

function kindSchema(
  workspace: WorkspaceIndex,
  path: string,
  apiVersion: string | undefined,
  kind: string | undefined,
): KindSchema | undefined {
  if (isKustomizationPath(path)) {
    return workspace.schemas.find('kustomize.config.k8s.io/v1beta1', 'Kustomization');
  }
  return apiVersion === undefined || kind === undefined
    ? undefined
    : workspace.schemas.find(apiVersion, kind);
}

function isAboutKind(path: Path): boolean {
  return path.length === 1 && (path[0] === 'kind' || path[0] === 'apiVersion');
}

function describeKind(kind: KindSchema): string {
  const scope = kind.namespaced ? 'namespaced' : 'cluster-scoped';
  const doc = kind.origin === 'custom' ? fieldDoc(kind.kind, []) : undefined;
  const head = `**${kind.kind}** · ${apiVersionOf(kind)}${kind.origin === 'kustomize' ? '' : ` · ${scope}`}`;
  return doc === undefined ? head : `${head}\n\n${doc}`;
}

function describeField(kind: KindSchema, path: Path): string | undefined {
  const schema = schemaAt(kind.schema, path);
  if (schema === undefined) return undefined;
  const holder = schemaAt(kind.schema, path.slice(0, -1));
  const name = path.at(-1);
  const isRequired = typeof name === 'string' && holder?.required?.includes(name) === true;
  const written = formatPath(path.filter((key) => typeof key === 'string'));
  const head = `**${written}** · ${describeType(schema)}${isRequired ? ' · required' : ''}`;
  const isFlux = kind.group.endsWith('.fluxcd.io');
  const parts = [head, isFlux ? fieldDoc(kind.kind, path) : undefined, describeValues(schema)];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function describeValues(schema: Schema): string | undefined {
  const parts: string[] = [];
  if (schema.enum !== undefined)
    parts.push(`One of ${schema.enum.map((value) => `\`${String(value)}\``).join(', ')}.`);
  if (schema.default !== undefined) parts.push(`Default: \`${JSON.stringify(schema.default)}\`.`);
  return parts.length === 0 ? undefined : parts.join(' ');
}
