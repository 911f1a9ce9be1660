import type { Diagnostic } from '../../base/diagnostic.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Origin } from '../../base/position.ts';
import { fluxKinds } from '../../flux/kinds.gen.ts';
import { isKubeObject, type KubeObject, parseApiVersion, refOf } from '../../kube/object.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { defaultFluxNamespace } from '../fluxRef.ts';
import type { FolderSnapshot } from './workspace.ts';

/** A Flux object as a file of the workspace has it, not built. */
export interface WorkspaceObject {
  readonly object: KubeObject;
  readonly origin: Origin;
  readonly snapshot: FolderSnapshot;
}

interface FileObjects {
  readonly objects: readonly { readonly object: KubeObject; readonly origin: Origin }[];
  readonly diagnostics: readonly Diagnostic[];
}

const manifestName = /\.(ya?ml|json)$/i;
/** Cheaper than parsing: no file without these words holds a Flux object. */
const fluxWord = Buffer.from('.toolkit.fluxcd.io/');
const noObjects: FileObjects = { objects: [], diagnostics: [] };
const fluxGroups: ReadonlySet<string> = new Set(fluxKinds.map(({ group }) => group));
const parsed = new WeakMap<Uint8Array, FileObjects>();

/** Every Flux object that stands in the folder's files, whatever would deploy it. Files that did not change are not read again. */
export function workspaceObjects(snapshot: FolderSnapshot): {
  readonly objects: readonly WorkspaceObject[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const objects: WorkspaceObject[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [path, bytes] of snapshot.files.entries()) {
    if (!manifestName.test(path)) continue;
    const file = readFile(path, bytes);
    diagnostics.push(...file.diagnostics);
    for (const { object, origin } of file.objects)
      objects.push({ object, origin: { ...origin, path }, snapshot });
  }
  return { objects, diagnostics };
}

function readFile(path: string, bytes: Uint8Array): FileObjects {
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(fluxWord)) return noObjects;
  const known = parsed.get(bytes);
  if (known !== undefined) return known;
  const { value: documents, diagnostics } = parseYaml(path, Buffer.from(bytes).toString('utf8'));
  const objects = documents.flatMap(({ value, range }) =>
    isKubeObject(value) && fluxGroups.has(parseApiVersion(value.apiVersion).group)
      ? [{ object: withNamespace(value), origin: { path, range } }]
      : [],
  );
  const file = { objects, diagnostics };
  parsed.set(bytes, file);
  return file;
}

/** Every Flux object is namespaced; a file that leaves it to an overlay most often means the namespace of Flux. */
function withNamespace(object: KubeObject): KubeObject {
  if (refOf(object).namespace !== undefined) return object;
  const metadata: JsonObject = { ...object.metadata, namespace: defaultFluxNamespace };
  return { ...object, metadata: metadata as KubeObject['metadata'] };
}
