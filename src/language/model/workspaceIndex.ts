import { isJsonObject } from '../../base/json.ts';
import { treeBasename, treeDirname } from '../../base/treePath.ts';
import type { KindSchema } from '../schemas/schema.ts';
import { createSchemaStore, kindsOfDefinition, type SchemaStore } from '../schemas/schemaStore.ts';
import type { FileUse } from './kustomizationPaths.ts';
import { isNamedPatch, isYamlPath } from './fileNames.ts';
import { parseFile, type ParsedFile, type WrittenObject } from './parseFile.ts';
import { referencesOf, type ObjectReference } from './references.ts';
import { gatherFacts, type WorkspaceFacts } from './workspaceFacts.ts';
import { textAt, itemsOf, nodeAt } from './yamlAccess.ts';

/**
 * What the files of one workspace folder say, kept up to date file by file.
 * Paths are relative to the folder, with `/`. Does no I/O.
 */
export class WorkspaceIndex {
  readonly #files = new Map<string, ParsedFile>();
  /** The last readable state of each file: what other files see of it. */
  readonly #seen = new Map<string, ParsedFile>();
  readonly #paths = new Set<string>();
  /** How many files each folder holds at any depth. */
  readonly #folders = new Map<string, number>();
  readonly #objects = new Map<string, Set<WrittenObject>>();
  /** Folders of Helm charts: what stands in their templates is no YAML yet. */
  readonly #charts = new Set<string>();
  #definitions: ReadonlyMap<string, readonly KindSchema[]> = new Map();
  readonly #nearest = new WeakMap<
    ObjectReference,
    { readonly revision: number; readonly target: WrittenObject | undefined }
  >();
  /** Grows with every change, also one that others do not see: positions move. */
  #revision = 0;
  #known: WorkspaceFacts | undefined;
  #schemas: SchemaStore | undefined;
  /** Grows when a change may change what is reported of other files. */
  generation = 0;
  /** Grows when the kinds that are known change. */
  schemaGeneration = 0;

  /** Takes a file's text, or only that there is such a file when it is not YAML. */
  set(path: string, text: string | undefined): void {
    const before = this.#files.get(path);
    if (before?.text === text && before !== undefined) return;
    this.#revision++;
    if (!this.#paths.has(path)) {
      this.#paths.add(path);
      this.#countFolders(path, 1);
      if (treeBasename(path) === 'Chart.yaml') this.#charts.add(treeDirname(path));
      this.#invalidate();
    }
    if (text === undefined || !isYamlPath(path)) return;
    const after = parseFile(path, text);
    this.#files.set(path, after);
    // While a document cannot be read, others keep seeing what it held before: half-typed text must not make them fail.
    const seen = this.#seen.get(path);
    if (after.problems.length > 0 && seen !== undefined) return;
    this.#seen.set(path, after);
    this.#replaceObjects(seen, after);
    this.#replaceDefinitions(path, seen, after);
    if (seen === undefined || signatureOf(seen) !== signatureOf(after)) this.#invalidate();
  }

  delete(path: string): void {
    if (!this.#paths.delete(path)) return;
    this.#revision++;
    this.#countFolders(path, -1);
    if (treeBasename(path) === 'Chart.yaml') this.#charts.delete(treeDirname(path));
    const before = this.#seen.get(path);
    this.#files.delete(path);
    this.#seen.delete(path);
    this.#replaceObjects(before, undefined);
    this.#replaceDefinitions(path, before, undefined);
    this.#invalidate();
  }

  file(path: string): ParsedFile | undefined {
    return this.#files.get(path);
  }

  files(): IterableIterator<ParsedFile> {
    return this.#files.values();
  }

  paths(): IterableIterator<string> {
    return this.#paths.values();
  }

  hasFile(path: string): boolean {
    return this.#paths.has(path);
  }

  isFolder(path: string): boolean {
    return path === '' || this.#folders.has(path);
  }

  /** Names directly in the folder, files and folders. */
  list(folder: string): readonly string[] {
    const names = new Set<string>();
    const prefix = folder === '' ? '' : `${folder}/`;
    for (const path of this.#paths) {
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/', 1)[0] as string);
    }
    return [...names];
  }

  allFolders(): IterableIterator<string> {
    return this.#folders.keys();
  }

  /** Files and folders below a folder, and folders beside it and above: what a path in it usually names. */
  *reachableFrom(folder: string): Iterable<string> {
    const prefix = folder === '' ? '' : `${folder}/`;
    for (const path of this.#paths) if (path.startsWith(prefix)) yield path;
    for (const other of this.#folders.keys()) if (other !== folder) yield other;
  }

  /** The kustomization of a folder. */
  kustomizationIn(folder: string): ParsedFile | undefined {
    const prefix = folder === '' ? '' : `${folder}/`;
    for (const name of ['kustomization.yaml', 'kustomization.yml', 'Kustomization']) {
      const file = this.#seen.get(prefix + name);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  /** How kustomizations use the file; empty when none names it, unless its name says that it is a patch. */
  usesOf(path: string): ReadonlySet<FileUse> {
    return this.#facts().uses.get(path) ?? (isNamedPatch(path) ? patchUse : noUses);
  }

  /** The kustomizations that name the file. */
  usersOf(path: string): readonly ParsedFile[] {
    return this.#facts().users.get(path) ?? [];
  }

  /** True for a file of a Helm chart's templates, which is YAML only after rendering. */
  isTemplate(path: string): boolean {
    if (this.#charts.size === 0) return false;
    for (let folder = treeDirname(path); folder !== ''; folder = treeDirname(folder)) {
      if (treeBasename(folder) === 'templates' && this.#charts.has(treeDirname(folder))) return true;
    }
    return false;
  }

  /** True for a file whose content are no objects of its own: templates, patches, content and configuration of kustomize. */
  isPart(path: string): boolean {
    if (this.isTemplate(path)) return true;
    const uses = this.usesOf(path);
    return uses.size > 0 && !uses.has('resource');
  }

  /** Objects of that kind and name, from files whose content are objects. */
  objects(group: string, kind: string, name: string): readonly WrittenObject[] {
    const found = this.#objects.get(`${group}/${kind}/${name}`);
    return found === undefined ? [] : [...found].filter((object) => !this.isPart(object.path));
  }

  /** Names of the objects of a kind, without those that are still to be substituted. */
  namesOf(group: string, kind: string): readonly string[] {
    const prefix = `${group}/${kind}/`;
    const names: string[] = [];
    for (const [key, objects] of this.#objects) {
      const name = key.slice(prefix.length);
      if (!key.startsWith(prefix) || name === '' || name.includes('${')) continue;
      if ([...objects].some((object) => !this.isPart(object.path))) names.push(name);
    }
    return names;
  }

  /** The objects a reference may mean. A namespace that is not written anywhere may be any: an overlay sets it later. */
  *targetsOf({ group, kind, name, namespace }: ObjectReference): Iterable<WrittenObject> {
    for (const possible of this.#possibleNames(name)) {
      const named = this.#objects.get(`${group}/${kind}/${possible}`) ?? noObjects;
      for (const objects of kind === 'ExternalArtifact' ? [named, this.#generatorsOf(possible)] : [named]) {
        for (const object of objects) {
          const isThere =
            object.namespace === undefined || namespace === undefined || object.namespace === namespace;
          if (isThere && !this.isPart(object.path)) yield object;
        }
      }
    }
  }

  /** The one in the nearest file: a repository often holds an object of a name for each cluster. */
  nearestTarget(reference: ObjectReference): WrittenObject | undefined {
    const known = this.#nearest.get(reference);
    if (known?.revision === this.#revision) return known.target;
    let target: WrittenObject | undefined;
    let depth = -1;
    for (const candidate of this.targetsOf(reference)) {
      const shared = sharedDepth(candidate.path, reference.from.path);
      if (shared > depth) [target, depth] = [candidate, shared];
    }
    this.#nearest.set(reference, { revision: this.#revision, target });
    return target;
  }

  get schemas(): SchemaStore {
    this.#schemas ??= createSchemaStore([...this.#definitions.values()].flat());
    return this.#schemas;
  }

  #generatorsOf(artifactName: string): WrittenObject[] {
    return this.#facts()
      .generated.filter(({ name }) => name.test(artifactName))
      .map(({ generator }) => generator);
  }

  #possibleNames(name: string): readonly string[] {
    if (this.#facts().affixes.length === 0) return [name];
    const names = new Set([name]);
    for (const { prefix, suffix } of this.#facts().affixes) {
      if (name.startsWith(prefix) && name.endsWith(suffix) && name.length > prefix.length + suffix.length) {
        names.add(name.slice(prefix.length, name.length - suffix.length));
      }
    }
    return [...names];
  }

  #facts(): WorkspaceFacts {
    this.#known ??= gatherFacts(this.#seen.values());
    return this.#known;
  }

  #invalidate(): void {
    this.generation++;
    this.#known = undefined;
  }

  #countFolders(path: string, change: number): void {
    for (let folder = treeDirname(path); folder !== ''; folder = treeDirname(folder)) {
      const count = (this.#folders.get(folder) ?? 0) + change;
      if (count > 0) this.#folders.set(folder, count);
      else this.#folders.delete(folder);
    }
  }

  #replaceObjects(before: ParsedFile | undefined, after: ParsedFile | undefined): void {
    for (const object of before?.objects ?? []) {
      const set = this.#objects.get(keyOf(object));
      set?.delete(object);
      if (set?.size === 0) this.#objects.delete(keyOf(object));
    }
    for (const object of after?.objects ?? []) {
      const set = this.#objects.get(keyOf(object)) ?? new Set();
      this.#objects.set(keyOf(object), set.add(object));
    }
  }

  #replaceDefinitions(path: string, before: ParsedFile | undefined, after: ParsedFile | undefined): void {
    if (!hasDefinitions(before) && !hasDefinitions(after)) return;
    const definitions = new Map(this.#definitions);
    definitions.delete(path);
    if (after !== undefined) {
      const kinds = after.objects.filter(isDefinition).flatMap((object) => {
        return isJsonObject(object.value) ? kindsOfDefinition(object.value) : [];
      });
      definitions.set(path, kinds);
    }
    this.#definitions = definitions;
    this.#schemas = undefined;
    this.schemaGeneration++;
    this.generation++;
  }
}

const noObjects: ReadonlySet<WrittenObject> = new Set();
const noUses: ReadonlySet<FileUse> = new Set();
const patchUse: ReadonlySet<FileUse> = new Set(['patch']);

/** What other files may see of a file: its objects, what they refer to, and all of a kustomization. */
function signatureOf(file: ParsedFile): string {
  if (file.kustomization !== undefined) return file.text;
  return JSON.stringify(
    file.objects.map((object) => [
      object.apiVersion,
      object.kind,
      object.namespace,
      object.name,
      textAt(object.node, ['spec', 'path']),
      textAt(object.node, ['spec', 'namePrefix']),
      textAt(object.node, ['spec', 'nameSuffix']),
      itemsOf(nodeAt(object.node, ['spec', 'artifacts'])).map((artifact) => textAt(artifact, ['name'])),
      referencesOf(object).map(({ kind, namespace, name }) => [kind, namespace, name]),
    ]),
  );
}

function keyOf({ group, kind, name }: WrittenObject): string {
  return `${group}/${kind}/${name ?? ''}`;
}

function isDefinition(object: WrittenObject): boolean {
  return object.kind === 'CustomResourceDefinition' && object.group === 'apiextensions.k8s.io';
}

function hasDefinitions(file: ParsedFile | undefined): boolean {
  return file?.objects.some(isDefinition) ?? false;
}

/** How many folders two paths share from the root. */
function sharedDepth(path: string, other: string): number {
  let depth = 0;
  for (let index = 0; index < path.length && path[index] === other[index]; index++) {
    if (path[index] === '/') depth++;
  }
  return depth;
}
