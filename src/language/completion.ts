import { CompletionItemKind, MarkupKind, type CompletionItem } from 'vscode-languageserver-types';
import type { Position } from '../base/position.ts';
import { relativeTreePath, treeDirname } from '../base/treePath.ts';
import { apiVersionOf } from '../kube/object.ts';
import { cursorContext, type CursorContext } from './model/cursorContext.ts';
import { isKustomizationPath } from './model/fileNames.ts';
import { groupOfReferredKind, kindOfReference } from './model/references.ts';
import type { WorkspaceIndex } from './model/workspaceIndex.ts';
import { fieldDoc } from './schemas/fieldDocs.ts';
import { describeType, schemaAt, type KindSchema, type Schema } from './schemas/schema.ts';

/** What may be typed at a position of a text: fields, values, names of objects, paths. */
export function completionsAt(
  workspace: WorkspaceIndex,
  path: string,
  text: string,
  position: Position,
): CompletionItem[] {
  const context = cursorContext(text, position);
  if (context === undefined) return [];
  const kind = kindOf(workspace, path, context);
  const values = valuesAt(workspace, path, text, context, kind);
  if (values !== undefined) return values.map((value) => withEdit(value, context, value.label));
  if (context.at !== 'key') return [];
  const schema = kind === undefined ? undefined : schemaAt(kind.schema, context.path);
  const fields = schema?.properties ?? (context.path.length === 0 ? anyObject : {});
  return Object.entries(fields)
    .filter(([name]) => !context.siblings.includes(name))
    .map(([name, field]) => fieldItem(context, kind, name, field, schema?.required?.includes(name) === true));
}

const anyObject: Readonly<Record<string, Schema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object' },
};

function kindOf(
  workspace: WorkspaceIndex,
  path: string,
  { apiVersion, kind }: CursorContext,
): KindSchema | undefined {
  if (isKustomizationPath(path)) {
    return workspace.schemas.find('kustomize.config.k8s.io/v1beta1', 'Kustomization');
  }
  if (kind === undefined) return undefined;
  const exact = apiVersion === undefined ? undefined : workspace.schemas.find(apiVersion, kind);
  return exact ?? (apiVersion === undefined ? workspace.schemas.named(kind)[0] : undefined);
}

function fieldItem(
  context: CursorContext,
  kind: KindSchema | undefined,
  name: string,
  schema: Schema,
  isRequired: boolean,
): CompletionItem {
  const indent = ' '.repeat(context.column + 2);
  const opens = schema.type === 'object' ? `\n${indent}` : schema.type === 'array' ? `\n${indent}- ` : ' ';
  const doc = kind === undefined ? undefined : fieldDoc(kind.kind, [...context.path, name]);
  const item: CompletionItem = {
    label: name,
    kind: CompletionItemKind.Field,
    detail: isRequired ? `${describeType(schema)}, required` : describeType(schema),
    // Required fields first, status last: the controllers write that.
    sortText: `${isRequired ? 0 : name === 'status' ? 2 : 1}${name}`,
    ...(doc !== undefined && { documentation: { kind: MarkupKind.Markdown, value: doc } }),
  };
  return withEdit(item, context, `${name}:${opens}`);
}

/** Values for the position; undefined when it is one for a key. */
function valuesAt(
  workspace: WorkspaceIndex,
  path: string,
  text: string,
  context: CursorContext,
  kind: KindSchema | undefined,
): CompletionItem[] | undefined {
  const last = context.path.at(-1);
  if (context.at === 'key' && typeof last !== 'number') return undefined;
  const top = context.path.length === 1 && context.at === 'value' ? last : undefined;
  if (top === 'apiVersion') return apiVersions(workspace, context);
  if (top === 'kind') return kinds(workspace, context);
  const schema = kind === undefined ? undefined : schemaAt(kind.schema, context.path);
  if (context.at === 'key' && (schema?.type === 'object' || schema === undefined)) return undefined;
  const found = [
    ...pathValues(workspace, path, context, kind),
    ...referenceValues(workspace, text, context, kind),
  ];
  if (found.length > 0) return found;
  if (schema?.enum !== undefined) return schema.enum.map((value) => valueItem(String(value)));
  if (schema?.type === 'boolean') return ['true', 'false'].map(valueItem);
  return schema?.default !== undefined && typeof schema.default !== 'object'
    ? [valueItem(String(schema.default))]
    : [];
}

function apiVersions(workspace: WorkspaceIndex, { kind }: CursorContext): CompletionItem[] {
  const candidates = kind === undefined ? workspace.schemas.all() : workspace.schemas.named(kind);
  return [...new Set([...candidates].map(apiVersionOf))].map(valueItem);
}

function kinds(workspace: WorkspaceIndex, { apiVersion }: CursorContext): CompletionItem[] {
  const candidates =
    apiVersion === undefined ? workspace.schemas.all() : workspace.schemas.served(apiVersion);
  return [...candidates].map((candidate) => {
    const doc = fieldDoc(candidate.kind, []);
    return {
      label: candidate.kind,
      kind: CompletionItemKind.Class,
      detail: apiVersionOf(candidate),
      ...(doc !== undefined && candidate.origin === 'custom' && { documentation: doc }),
    };
  });
}

/** Names and namespaces of the objects that a reference may mean. */
function referenceValues(
  workspace: WorkspaceIndex,
  text: string,
  context: CursorContext,
  kind: KindSchema | undefined,
): CompletionItem[] {
  const field = context.path.at(-1);
  if (kind === undefined || field !== 'name') return [];
  const holder = context.path.slice(0, -1);
  const referred =
    kindOfReference(`${kind.group}/${kind.kind}`, holder) ?? kindBeside(text, context.range.start.line);
  const group = referred === undefined ? undefined : groupOfReferredKind(referred);
  if (referred === undefined || group === undefined) return [];
  return workspace.namesOf(group, referred).map((name) => ({
    label: name,
    kind: CompletionItemKind.Reference,
    detail: referred,
  }));
}

/** The value of a field `kind` in the same mapping, on a line near by. */
function kindBeside(text: string, line: number): string | undefined {
  const lines = text.split('\n');
  const indent = (number: number): number => (lines[number] ?? '').replace('- ', '  ').search(/\S/);
  const column = indent(line);
  for (const step of [-1, 1]) {
    for (let number = line + step; indent(number) >= column; number += step) {
      const match = /^\s*(?:- )?kind:\s+['"]?(\w+)/.exec(lines[number] ?? '');
      if (match !== null && indent(number) === column) return match[1];
    }
  }
  return undefined;
}

/** Files and folders for the paths of kustomizations and of Flux Kustomizations. */
function pathValues(
  workspace: WorkspaceIndex,
  path: string,
  context: CursorContext,
  kind: KindSchema | undefined,
): CompletionItem[] {
  const field = context.path.filter((key) => typeof key === 'string').join('.');
  const folder = treeDirname(path);
  if (kind?.origin === 'kustomize') {
    const takes = kustomizationPaths[field];
    if (takes === undefined) return [];
    return [...workspace.reachableFrom(folder)]
      .filter((target) => target !== path && takes(workspace, target))
      .map((target) => fileItem(workspace, relativeTreePath(folder, target), target));
  }
  if (kind?.kind !== 'Kustomization' || field !== 'spec.path') return [];
  return [...workspace.allFolders()].map((target) => fileItem(workspace, `./${target}`, target));
}

type Takes = (workspace: WorkspaceIndex, target: string) => boolean;

const isKustomized: Takes = (workspace, target) => workspace.kustomizationIn(target) !== undefined;
const isManifest: Takes = (workspace, target) =>
  (workspace.file(target)?.objects.length ?? 0) > 0 || isKustomized(workspace, target);
const isYaml: Takes = (workspace, target) => workspace.file(target) !== undefined;

const kustomizationPaths: Readonly<Record<string, Takes | undefined>> = {
  resources: isManifest,
  bases: isKustomized,
  components: isKustomized,
  'patches.path': isYaml,
  patchesStrategicMerge: isYaml,
  'configMapGenerator.files': (workspace, target) => workspace.hasFile(target),
  'secretGenerator.files': (workspace, target) => workspace.hasFile(target),
};

function fileItem(workspace: WorkspaceIndex, label: string, target: string): CompletionItem {
  const isFolder = workspace.isFolder(target);
  return { label, kind: isFolder ? CompletionItemKind.Folder : CompletionItemKind.File };
}

function valueItem(label: string): CompletionItem {
  return { label, kind: CompletionItemKind.EnumMember };
}

function withEdit(item: CompletionItem, { range }: CursorContext, newText: string): CompletionItem {
  return { ...item, textEdit: { range, newText } };
}
