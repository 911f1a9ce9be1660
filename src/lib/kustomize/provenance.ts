import { tags } from '../../kube/yamlScalar.ts';
import { parseGitUrl } from './gitUrl.ts';
import { printNode } from './nodePrint.ts';
import { readYaml } from './patchText.ts';
import { asNode, fieldOf, newMap, newScalar, newSequence, nowhere, type Node } from './node.ts';
import { setMetaTexts, type Resource } from './resource.ts';

/** What buildMetadata writes about where an object comes from, or what changed it. */
export interface Provenance {
  readonly path: string;
  readonly repo: string;
  readonly ref: string;
  readonly configuredIn: string;
  readonly configuredBy: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
  };
}

export const originAnnotation = 'config.kubernetes.io/origin';
export const transformationsAnnotation = 'alpha.config.kubernetes.io/transformations';

export const noProvenance: Provenance = {
  path: '',
  repo: '',
  ref: '',
  configuredIn: '',
  configuredBy: { apiVersion: '', kind: '', name: '', namespace: '' },
};

/** The provenance of what a path of a kustomization leads to. */
export function appendPath(provenance: Provenance, path: string): Provenance {
  const git = parseGitUrl(path);
  if (git === undefined) return { ...provenance, path: join(provenance.path, path) };
  return { ...provenance, repo: git.repository, ref: git.ref, path: join('', git.path) };
}

/** Go's filepath.Join: `..` at the start stays. */
function join(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${base}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** The provenance of what a step of the kustomization file in a folder makes or changes. */
export function configuredBy(provenance: Provenance, file: string, kind: string): Provenance {
  return {
    ...noProvenance,
    repo: provenance.repo,
    ref: provenance.ref,
    configuredIn: join(provenance.path, file),
    configuredBy: { apiVersion: 'builtin', kind, name: '', namespace: '' },
  };
}

/** The objects of a file with their origin set. */
export function annotateOrigin(object: Resource, provenance: Provenance): Resource {
  return object.edited((root, edit) =>
    setMetaTexts(
      root,
      'annotations',
      new Map([...object.annotations, [originAnnotation, printNode(nodeOf(provenance))]]),
      edit,
    ),
  );
}

/** The object with its origin set when it has none: for what generators made. */
export function annotateMissingOrigin(object: Resource, provenance: Provenance): Resource {
  return object.annotations.has(originAnnotation) ? object : annotateOrigin(object, provenance);
}

/** The object with one more transformation noted, or, when nobody knows where it comes from, its origin. */
export function annotateTransformation(object: Resource, provenance: Provenance): Resource {
  if (!object.annotations.has(originAnnotation)) return annotateOrigin(object, provenance);
  const before = object.annotations.get(transformationsAnnotation);
  const known = before === undefined ? undefined : readYaml({ path: '', text: before, line: 0 });
  const items = [...(known?.items ?? []).map(asNode), nodeOf(provenance)];
  return object.edited((root, edit) =>
    setMetaTexts(
      root,
      'annotations',
      new Map([...object.annotations, [transformationsAnnotation, printNode(newSequence(nowhere, items))]]),
      edit,
    ),
  );
}

/** What a plugin's own object says about where it stands, for the objects it makes or changes. */
export function provenanceOfPlugin(plugin: Resource): Provenance | undefined {
  const origin = plugin.annotations.get(originAnnotation);
  if (origin === undefined) return undefined;
  const read = readYaml({ path: '', text: origin, line: 0 });
  const text = (name: string) => (read === undefined ? '' : (fieldOf(asNode(read), name)?.text ?? ''));
  return {
    ...noProvenance,
    repo: text('repo'),
    ref: text('ref'),
    configuredIn: text('path'),
    configuredBy: {
      apiVersion: plugin.apiVersion,
      kind: plugin.kind,
      name: plugin.name,
      namespace: plugin.namespace,
    },
  };
}

function nodeOf(provenance: Provenance): Node {
  const by = provenance.configuredBy;
  const configured = textMap({
    apiVersion: by.apiVersion,
    kind: by.kind,
    name: by.name,
    namespace: by.namespace,
  });
  const { path, repo, ref, configuredIn } = provenance;
  const map = textMap({ path, repo, ref, configuredIn });
  if (configured.items.length === 0) return map;
  return newMap(nowhere, [...map.items, newScalar('configuredBy', tags.str, nowhere), configured]);
}

function textMap(texts: Readonly<Record<string, string>>): Node {
  return newMap(
    nowhere,
    Object.entries(texts)
      .filter(([, text]) => text !== '')
      .flatMap(([name, text]) => [newScalar(name, tags.str, nowhere), newScalar(text, tags.str, nowhere)]),
  );
}
