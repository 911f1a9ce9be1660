import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import {
  newClusters,
  newContexts,
  newUsers,
  type Cluster,
  type Context,
  type User,
} from '@kubernetes/client-node/dist/config_types.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { Secret } from '../../base/secret.ts';
import { parsePlainYaml } from '../../kube/plainYaml.ts';

/**
 * Where a kubeconfig comes from. `paths` are the user's own files, merged as kubectl does (the first entry of a name wins).
 * `text` is one that travelled in a Secret: it may name no program and no file of this machine.
 */
export type KubeconfigSource =
  { readonly paths: readonly string[] } | { readonly text: Secret<string>; readonly subject: string };

/** One context of the kubeconfig files. */
export interface ContextSummary {
  readonly name: string;
  readonly server: string;
  readonly cluster: string;
  readonly user: string;
  readonly namespace?: string;
  /** It is the current-context of the files: a first proposal, never to be followed silently. */
  readonly current: boolean;
}

/** A user with the fields that the loader passes over. */
export interface KubeconfigUser extends User {
  readonly tokenFile?: string;
  readonly impersonateUid?: string;
  readonly impersonateGroups?: readonly string[];
  readonly impersonateExtra?: Readonly<Record<string, readonly string[]>>;
  /** The folder of the file that holds the user: commands and files are relative to it. */
  readonly folder?: string;
  /** That file. */
  readonly file?: string;
}

/** A cluster with what its exec extension hands to credential programs. */
export interface KubeconfigCluster extends Cluster {
  readonly execConfig?: JsonValue;
}

/** What is needed to talk to the cluster of one context. Certificates and tokens are read by `credentials.ts`. */
export interface ClusterConnection {
  readonly contextName: string;
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
  readonly namespace?: string;
}

/** The files kubectl would read: `$KUBECONFIG` split at the system's list separator, else `~/.kube/config`. */
export function defaultKubeconfigPaths(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
}

/** Every context of the files, in file order. Throws KubeconfigInvalid. */
export async function listContexts(paths: readonly string[]): Promise<readonly ContextSummary[]> {
  const merged = merge(await loadSource({ paths }));
  return [...merged.contexts.values()].map((context) => ({
    name: context.name,
    server: merged.clusters.get(context.cluster)?.server ?? '',
    cluster: context.cluster,
    user: context.user ?? '',
    ...(isSet(context.namespace) && { namespace: context.namespace }),
    current: context.name === merged.currentContext,
  }));
}

/** The cluster and user of one context, the current one when none is named. Throws KubeconfigInvalid. */
export async function loadConnection(
  source: KubeconfigSource,
  contextName?: string,
): Promise<ClusterConnection> {
  const merged = merge(await loadSource(source));
  const fail = (problem: string, hint: string): Error =>
    plumbError('KubeconfigInvalid', { message: `${describeSource(source)}: ${problem}`, hint });
  const name = contextName ?? merged.currentContext;
  const names = [...merged.contexts.keys()].join(', ');
  const choice = names === '' ? 'the kubeconfig has no contexts' : `choose one of: ${names}`;
  if (name === undefined) throw fail('no context chosen and no current-context set', choice);
  const context = merged.contexts.get(name);
  if (context === undefined) throw fail(`context ${quote(name)} does not exist`, choice);
  const cluster = merged.clusters.get(context.cluster);
  if (cluster === undefined)
    throw fail(
      `context ${quote(name)} names the cluster ${quote(context.cluster)}, which does not exist`,
      'kubectl config get-clusters lists the clusters',
    );
  const user = isSet(context.user) ? merged.users.get(context.user) : anonymous;
  if (user === undefined)
    throw fail(
      `context ${quote(name)} names the user ${quote(context.user)}, which does not exist`,
      'kubectl config get-users lists the users',
    );
  if (!isServerUrl(cluster.server))
    throw fail(
      `context ${quote(name)}: the server ${quote(cluster.server)} is not an http or https address`,
      'kubectl config set-cluster --server=https://… corrects it',
    );
  if ('text' in source) refuseLocalAccess(cluster, user, source.subject);
  return {
    contextName: name,
    cluster,
    user,
    ...(isSet(context.namespace) && { namespace: context.namespace }),
  };
}

interface Loaded {
  readonly contexts: ReadonlyMap<string, Context>;
  readonly clusters: ReadonlyMap<string, KubeconfigCluster>;
  readonly users: ReadonlyMap<string, KubeconfigUser>;
  readonly currentContext: string | undefined;
}

const anonymous: KubeconfigUser = { name: '' };

/** As kubectl merges: of entries with one name the first wins, and so does the first current-context. */
function merge(files: readonly Loaded[]): Loaded {
  return {
    contexts: firstOfName(files.flatMap((file) => [...file.contexts])),
    clusters: firstOfName(files.flatMap((file) => [...file.clusters])),
    users: firstOfName(files.flatMap((file) => [...file.users])),
    currentContext: files.find((file) => file.currentContext !== undefined)?.currentContext,
  };
}

async function loadSource(source: KubeconfigSource): Promise<readonly Loaded[]> {
  if ('text' in source) return [parseKubeconfig(source.text.reveal(), source.subject, undefined)];
  const files: Loaded[] = [];
  for (const path of source.paths) {
    const text = await readKubeconfigFile(path);
    if (text !== undefined) files.push(parseKubeconfig(text, path, resolve(path)));
  }
  if (files.length > 0) return files;
  throw plumbError('KubeconfigInvalid', {
    message: `no kubeconfig: ${source.paths.join(', ')} ${source.paths.length === 1 ? 'does' : 'do'} not exist`,
    hint: 'set KUBECONFIG or name a file with --kubeconfig',
  });
}

/** The text, or undefined for a file that does not exist: kubectl passes over it too. */
async function readKubeconfigFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw plumbError('KubeconfigInvalid', {
      message: `${path}: cannot be read: ${code ?? String(error)}`,
      hint: 'check that it is a file you may read',
      cause: error,
    });
  }
}

function parseKubeconfig(text: string, name: string, file: string | undefined): Loaded {
  const folder = file === undefined ? undefined : dirname(file);
  const invalid = (problem: string): Error =>
    plumbError('KubeconfigInvalid', {
      message: `${name}: ${problem}`,
      hint: 'kubectl config view shows what kubectl makes of it',
    });
  const parsed = parsePlainYaml(text);
  if ('problem' in parsed)
    throw invalid(parsed.line === undefined ? parsed.problem : `line ${parsed.line}: ${parsed.problem}`);
  if (parsed.value !== null && !isJsonObject(parsed.value)) throw invalid('is not a kubeconfig');
  const document = parsed.value ?? {};
  try {
    return {
      contexts: byName(newContexts(document['contexts'])),
      clusters: byName(
        newClusters(document['clusters']).map((cluster) => ({
          ...cluster,
          ...absolute(cluster, ['caFile'], folder),
          ...execExtension(entryOf(document, 'clusters', 'cluster', cluster.name)),
        })),
      ),
      users: byName(
        newUsers(document['users']).map((user) => ({
          ...user,
          ...absolute(user, ['certFile', 'keyFile'], folder),
          ...passedOver(entryOf(document, 'users', 'user', user.name), folder),
          ...(file !== undefined && { file }),
        })),
      ),
      currentContext: textOf(document['current-context']),
    };
  } catch (error) {
    // The loader's own words, of the form `users[0].name is missing`.
    throw invalid(
      error instanceof TypeError || !(error instanceof Error) ? 'is not a kubeconfig' : error.message,
    );
  }
}

function byName<T extends { readonly name: string }>(entries: readonly T[]): ReadonlyMap<string, T> {
  return firstOfName(entries.map((entry) => [entry.name, entry] as const));
}

function firstOfName<T>(entries: readonly (readonly [name: string, entry: T])[]): ReadonlyMap<string, T> {
  const first = new Map<string, T>();
  for (const [name, entry] of entries) if (!first.has(name)) first.set(name, entry);
  return first;
}

function absolute<T extends object>(
  entry: T,
  keys: readonly (keyof T)[],
  folder: string | undefined,
): Partial<T> {
  const paths = keys.flatMap((key) => {
    const path = entry[key];
    return typeof path === 'string' && path !== '' && folder !== undefined
      ? [[key, resolve(folder, path)]]
      : [];
  });
  return Object.fromEntries(paths) as Partial<T>;
}

function entryOf(document: JsonObject, list: string, member: string, name: string): JsonObject {
  const entries = document[list];
  const entry = Array.isArray(entries)
    ? (entries as readonly JsonValue[]).find((item) => isJsonObject(item) && item['name'] === name)
    : undefined;
  const value = isJsonObject(entry) ? entry[member] : undefined;
  return isJsonObject(value) ? value : {};
}

/** The fields of a user that the loader does not read. */
function passedOver(user: JsonObject, folder: string | undefined): Partial<KubeconfigUser> {
  const tokenFile = textOf(user['tokenFile']);
  const uid = textOf(user['as-uid']);
  const groups = textsOf(user['as-groups']);
  const extra = isJsonObject(user['as-user-extra']) ? user['as-user-extra'] : {};
  return {
    ...(folder !== undefined && { folder }),
    ...(tokenFile !== undefined && {
      tokenFile: folder === undefined ? tokenFile : resolve(folder, tokenFile),
    }),
    ...(uid !== undefined && { impersonateUid: uid }),
    ...(groups.length > 0 && { impersonateGroups: groups }),
    ...(Object.keys(extra).length > 0 && {
      impersonateExtra: Object.fromEntries(
        Object.entries(extra).map(([key, value]) => [key, textsOf(value)]),
      ),
    }),
  };
}

function execExtension(cluster: JsonObject): { execConfig?: JsonValue } {
  const extensions = Array.isArray(cluster['extensions'])
    ? (cluster['extensions'] as readonly JsonValue[])
    : [];
  const found = extensions.find(
    (item) => isJsonObject(item) && item['name'] === 'client.authentication.k8s.io/exec',
  );
  const execConfig = isJsonObject(found) ? found['extension'] : undefined;
  return execConfig === undefined ? {} : { execConfig };
}

function isServerUrl(server: string): boolean {
  return URL.canParse(server) && ['https:', 'http:'].includes(new URL(server).protocol);
}

/** A kubeconfig from the cluster must not make this machine run programs or send its files away. */
function refuseLocalAccess(cluster: KubeconfigCluster, user: KubeconfigUser, subject: string): void {
  const names = {
    exec: user.exec,
    'auth-provider': user.authProvider,
    tokenFile: user.tokenFile,
    'client-certificate': user.certFile,
    'client-key': user.keyFile,
    'certificate-authority': cluster.caFile,
  } as const;
  const refused = Object.entries(names).flatMap(([name, value]) => (isSet(value) ? [name] : []));
  if (refused.length === 0) return;
  throw plumbError('KubeconfigInvalid', {
    message: `kubeconfig uses ${refused.join(' and ')}, which would run or read something on this machine`,
    subject,
    hint: 'put the certificates and a token into the kubeconfig itself',
  });
}

/** The loader gives null for what a file leaves out. */
function isSet<T>(value: T | null | undefined): value is T & {} {
  return value !== undefined && value !== null && value !== '';
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value)
    ? (value as readonly JsonValue[]).filter((item) => typeof item === 'string')
    : [];
}

function describeSource(source: KubeconfigSource): string {
  return 'text' in source ? source.subject : source.paths.join(', ');
}

function quote(text: string): string {
  return JSON.stringify(text);
}
