import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { apiVersionOf } from '../../kube/object.ts';
import type { ServedKind } from './clusterClient.ts';
import { refusalFrom } from './refusal.ts';
import type { HttpAnswer, Transport } from './transport.ts';

type GroupVersion = Pick<ServedKind, 'group' | 'version'>;
type KindRef = Pick<ServedKind, 'group' | 'version' | 'kind'>;

/** What the server serves, asked once and kept; shared by every identity on the connection. */
export interface Discovery {
  kindsIn(groupVersion: GroupVersion, refresh: boolean): Promise<readonly ServedKind[] | undefined>;
  kindsOfGroup(group: string, refresh: boolean): Promise<readonly ServedKind[]>;
  all(): Promise<readonly ServedKind[]>;
  kind(ref: KindRef): Promise<ServedKind | undefined>;
}

/** Kinds by `group/version`; a version whose server cannot be asked right now has none and stands in `broken`. */
interface Catalogue {
  /** Versions in the server's order of preference. */
  readonly versions: ReadonlyMap<string, readonly ServedKind[]>;
  readonly broken: ReadonlySet<string>;
}

const aggregatedAccept = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

/** A miss is believed for this long when the server has just said so: a build may name one unknown kind a hundred times. */
const missLifetimeMs = 250;

/** Asks aggregated discovery (two requests for everything, ETag-checked), and servers without it one group at a time. */
export function createDiscovery(transport: Transport): Discovery {
  const etags = new Map<string, { readonly etag: string; readonly document: JsonObject }>();
  let catalogue: Promise<Catalogue> | undefined;
  let askedAt = -Infinity;

  const ask = (): Promise<Catalogue> => {
    const asking = readCatalogue();
    catalogue = asking;
    askedAt = performance.now();
    asking.catch(() => {
      if (catalogue === asking) catalogue = undefined;
    });
    return asking;
  };

  const fresh = async (refresh: boolean): Promise<Catalogue> =>
    await (catalogue === undefined || refresh ? ask() : catalogue);
  const afterMiss = (): Promise<Catalogue> => fresh(performance.now() - askedAt > missLifetimeMs);

  const readDocument = async (path: string): Promise<JsonObject> => {
    const known = etags.get(path);
    const answer = await transport.send({
      method: 'GET',
      path,
      headers: { accept: aggregatedAccept, ...(known !== undefined && { 'if-none-match': known.etag }) },
    });
    if (answer.status === 304 && known !== undefined) return known.document;
    const document = documentOf(answer, path);
    const { etag } = answer.headers;
    if (etag !== undefined) etags.set(path, { etag, document });
    return document;
  };

  const readCatalogue = async (): Promise<Catalogue> => {
    const documents = await Promise.all(['/api', '/apis'].map(readDocument));
    const versions = new Map<string, readonly ServedKind[]>();
    const broken = new Set<string>();
    for (const document of documents) {
      if (document['kind'] === 'APIGroupDiscoveryList') addAggregated(document, versions, broken);
      else
        for (const groupVersion of listedVersions(document)) {
          const kinds = await readVersion(transport, groupVersion);
          versions.set(apiVersionOf(groupVersion), kinds ?? []);
          if (kinds === undefined) broken.add(apiVersionOf(groupVersion));
        }
    }
    return { versions, broken };
  };

  const requireWorking = ({ broken }: Catalogue, apiVersions: readonly string[]): void => {
    const missing = apiVersions.find((apiVersion) => broken.has(apiVersion));
    if (missing === undefined) return;
    throw plumbError('RequestFailed', {
      message: `discovery of ${missing} failed: the server behind it does not answer`,
      hint: `kubectl get apiservices shows why; every request for kinds of ${missing} fails until then`,
    });
  };

  const kindsIn = async (groupVersion: GroupVersion, refresh: boolean) => {
    const apiVersion = apiVersionOf(groupVersion);
    const known = await fresh(refresh);
    requireWorking(known, [apiVersion]);
    return known.versions.get(apiVersion);
  };

  return {
    kindsIn,
    async kindsOfGroup(group, refresh) {
      const known = await fresh(refresh);
      const ofGroup = [...known.versions].filter(([apiVersion]) => groupOf(apiVersion) === group);
      requireWorking(
        known,
        ofGroup.map(([apiVersion]) => apiVersion),
      );
      return ofGroup.flatMap(([, kinds]) => kinds);
    },
    async all() {
      return [...(await fresh(false)).versions.values()].flat();
    },
    async kind(ref) {
      const find = ({ versions }: Catalogue): ServedKind | undefined =>
        versions.get(apiVersionOf(ref))?.find(({ kind }) => kind === ref.kind);
      const found = find(await fresh(false));
      if (found !== undefined) return found;
      const asked = await afterMiss();
      requireWorking(asked, [apiVersionOf(ref)]);
      return find(asked);
    },
  };
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

function documentOf(answer: HttpAnswer, path: string): JsonObject {
  if (answer.status !== 200) {
    const { reason, message } = refusalFrom(answer.status, answer.body);
    throw plumbError('RequestFailed', {
      message: `discovery at ${path} failed (${reason}): ${message}`,
      hint: 'check that the server is a Kubernetes API server and that you may read /api and /apis',
    });
  }
  const document = parsed(answer.body);
  if (isJsonObject(document)) return document;
  throw plumbError('RequestFailed', {
    message: `discovery at ${path} failed: the answer is no JSON object`,
    hint: 'check the server address: something else than a Kubernetes API server answers there',
  });
}

function parsed(body: string): JsonValue | undefined {
  try {
    return parseJson(body);
  } catch {
    // Told by the caller, without the text.
    return undefined;
  }
}

function addAggregated(
  document: JsonObject,
  versions: Map<string, readonly ServedKind[]>,
  broken: Set<string>,
): void {
  for (const item of objects(document['items'])) {
    const group = isJsonObject(item['metadata']) ? text(item['metadata']['name']) : '';
    for (const entry of objects(item['versions'])) {
      const version = text(entry['version']);
      const apiVersion = apiVersionOf({ group, version });
      const kinds = objects(entry['resources']).map((resource) => {
        const responseKind = isJsonObject(resource['responseKind']) ? resource['responseKind'] : {};
        return {
          group,
          version,
          kind: text(responseKind['kind']),
          plural: text(resource['resource']),
          shortNames: texts(resource['shortNames']),
          namespaced: resource['scope'] === 'Namespaced',
          verbs: texts(resource['verbs']),
        };
      });
      versions.set(apiVersion, kinds);
      if (entry['freshness'] === 'Stale' && kinds.length === 0) broken.add(apiVersion);
    }
  }
}

/** The versions in an APIVersions (core) or APIGroupList document of a server without aggregated discovery. */
function listedVersions(document: JsonObject): readonly GroupVersion[] {
  if (document['kind'] === 'APIVersions')
    return texts(document['versions']).map((version) => ({ group: '', version }));
  return objects(document['groups']).flatMap((group) =>
    objects(group['versions']).map((entry) => ({
      group: text(group['name']),
      version: text(entry['version']),
    })),
  );
}

/** The kinds of one version; undefined when the server behind it does not answer. */
async function readVersion(
  transport: Transport,
  { group, version }: GroupVersion,
): Promise<readonly ServedKind[] | undefined> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const answer = await transport.send({ method: 'GET', path });
  if (answer.status === 404) return [];
  const document = answer.status === 200 ? parsed(answer.body) : undefined;
  if (!isJsonObject(document)) return undefined;
  return objects(document['resources'])
    .filter((resource) => !text(resource['name']).includes('/'))
    .map((resource) => ({
      group,
      version,
      kind: text(resource['kind']),
      plural: text(resource['name']),
      shortNames: texts(resource['shortNames']),
      namespaced: resource['namespaced'] === true,
      verbs: texts(resource['verbs']),
    }));
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value)
    ? (value as readonly JsonValue[]).filter((item) => typeof item === 'string')
    : [];
}
