import type { Diagnostic } from '../../base/diagnostic.ts';
import { withFile, type ReadableTree } from '../../base/readableTree.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { asPlumbError, isPlumbError, plumbError, type PlumbError } from '../../base/plumbError.ts';
import { emptyKeyRing } from '../../clients/kms/keyRing.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import { parseApiVersion, refOf, type KubeObject, type ObjectRef } from '../../kube/object.ts';
import { jsonOfTree, treeOfJson } from '../../lib/sops/jsonTree.ts';
import { extractMetadata } from '../../lib/sops/metadata.ts';
import { isEncryptedText } from '../../lib/sops/sopsCipher.ts';
import { formatOfKey, secretSourcesOf } from '../../lib/sops/secretSources.ts';
import { decryptFile, readSopsFile, type DecryptedFile, type SopsFile } from '../../lib/sops/sopsFile.ts';
import {
  detectSopsFormat,
  formatOfPath,
  hasSopsMarker,
  printPlain,
  type SopsFormat,
} from '../../lib/sops/sopsFormat.ts';
import { DataKeys, type OwnDecryption } from './dataKeys.ts';
import { encryptedFields, fieldsFrom, isEncryptedObject } from './decryptedFields.ts';
import { loadDecryptionKeys } from './decryptionKeys.ts';
import type { KustomizeContext } from './kustomizeContext.ts';
import type { Overlay } from './overlay.ts';

/** The most an encrypted file may hold, as upstream. */
const maxFileBytes = 5 * 1024 * 1024;

/** How a build treats what cannot be decrypted here. */
export interface DecryptionOptions {
  /** Stands in for such an object, so that the rest can be looked at; without it the build fails. */
  readonly standIn?: (encrypted: KubeObject) => Promise<KubeObject>;
}

/** A file or an object that could not be decrypted, and why. */
export interface Unreadable {
  readonly ref?: ObjectRef;
  readonly path?: string;
  readonly reason: string;
}

/**
 * Decryption for one build: the files of secret generators before it, the objects after it (contract 1.4). Plain text
 * stays in memory; messages never hold a value.
 */
export class Decryption {
  readonly #dataKeys: DataKeys;
  /** Files that were encrypted; what they set is hidden. */
  readonly #sources = new Set<string>();
  readonly #checked = new Map<string, readonly Diagnostic[]>();
  readonly #options: DecryptionOptions;
  /** What could not be decrypted; only where something may stand in for it. */
  readonly unreadable: Unreadable[] = [];

  private constructor(dataKeys: DataKeys, options: DecryptionOptions) {
    this.#dataKeys = dataKeys;
    this.#options = options;
  }

  /** Undefined without `spec.decryption`. Reads the Secret with the keys. Throws BuildFailed. */
  static async of(
    ctx: KustomizeContext,
    kustomization: Kustomization,
    options: DecryptionOptions = {},
  ): Promise<Decryption | undefined> {
    if (kustomization.spec.decryption?.provider !== 'sops') return undefined;
    const keys = await loadDecryptionKeys(ctx, kustomization).catch((error: unknown) => {
      if (options.standIn === undefined || !isPlumbError(error, 'BuildFailed')) throw error;
      return { ...emptyKeyRing, problem: error.message };
    });
    return new Decryption(new DataKeys(ctx, keys, await ctx.ownKeys?.()), options);
  }

  /** The tree with the encrypted files that secret generators and patches read decrypted. Throws BuildFailed. */
  async decryptSources({ files, rootChanges }: Overlay, folder: string): Promise<ReadableTree> {
    let decrypted = files;
    for (const { path, format } of secretSourcesOf(files, folder, rootChanges.components)) {
      const content = files.get(path);
      if (content === undefined) continue;
      try {
        if (content.byteLength > maxFileBytes)
          throw plumbError('BuildFailed', {
            message: `cannot decrypt file with size (${content.byteLength} bytes) exceeding limit (${maxFileBytes})`,
          });
        if (!hasSopsMarker(content, format)) continue;
        const file = readSopsFile(content, format);
        const { documents, mac } = await this.#decrypt(file);
        decrypted = withFile(decrypted, path, Buffer.from(printPlain(documents, format)));
        this.#sources.add(path);
        this.#checked.set(path, macDiagnostics(path, mac));
      } catch (error) {
        const failed = failure(error, `error decrypting sources: ${path}`, path);
        if (this.#options.standIn === undefined || failed.code !== 'BuildFailed') throw failed;
        this.unreadable.push({ path, reason: failed.message });
      }
    }
    return decrypted;
  }

  /**
   * The objects of the build decrypted: whole ones that carry `sops`, and values of Secrets that are encrypted files
   * themselves. `tree` is what they were built from, whose files' MACs are checked. Throws BuildFailed.
   */
  async decryptObjects(objects: readonly BuiltObject[], tree: ReadableTree): Promise<readonly BuiltObject[]> {
    const decrypted: BuiltObject[] = [];
    for (const built of objects) {
      const hidden = encryptedFields(built.object) ?? fieldsFrom(built, this.#sources);
      const plain = await this.#decryptOrStandIn(built, tree);
      decrypted.push(hidden === undefined ? plain : { ...plain, hidden });
    }
    return decrypted;
  }

  async #decryptOrStandIn(built: BuiltObject, tree: ReadableTree): Promise<BuiltObject> {
    const { standIn } = this.#options;
    if (standIn === undefined) return this.#decryptObject(built, tree);
    try {
      const decrypted = await this.#decryptObject(built, tree);
      // Made of a file that stayed encrypted: its lines became values.
      const [source] = this.unreadable.filter(({ ref }) => ref === undefined);
      if (source !== undefined && holdsEncrypted(decrypted.object))
        throw plumbError('BuildFailed', { message: source.reason });
      return decrypted;
    } catch (error) {
      if (!isPlumbError(error, 'BuildFailed')) throw error;
      const path = built.origins.at('')?.path;
      this.unreadable.push({
        ref: refOf(built.object),
        reason: error.message,
        ...(path !== undefined && { path }),
      });
      return { object: await standIn(built.object), origins: built.origins };
    }
  }

  /** What the MACs of the files say; complete after both steps. */
  diagnostics(): readonly Diagnostic[] {
    return [...this.#checked.values()].flat();
  }

  /** What of the user's own it took; complete after both steps. */
  own(): OwnDecryption {
    return this.#dataKeys.own();
  }

  async #decryptObject(built: BuiltObject, tree: ReadableTree): Promise<BuiltObject> {
    const { object, origins } = built;
    if (isDecryptionDisabled(object)) return built;
    try {
      if (isEncryptedObject(object)) {
        const { documents, metadata } = extractMetadata([treeOfJson(object)], 'nested');
        const { documents: plain } = await this.#decrypt({ documents, metadata }).catch((error: unknown) => {
          const { namespace = '', name } = object.metadata;
          throw failure(error, `failed to decrypt and format '${namespace}/${name}' ${object.kind} data`);
        });
        await this.#checkOrigin(built, tree);
        return { object: plain[0] === undefined ? object : (jsonOfTree(plain[0]) as KubeObject), origins };
      }
      return object.kind === 'Secret' ? { object: await this.#decryptData(object), origins } : built;
    } catch (error) {
      const origin = origins.at('');
      const { group, version } = parseApiVersion(object.apiVersion);
      const gvk = `${object.kind}.${version}.${group === '' ? '[noGrp]' : group}`;
      throw failure(error, `decryption failed for '${gvk}/${object.metadata.name}'`, origin?.path, origin);
    }
  }

  async #decryptData(object: KubeObject): Promise<KubeObject> {
    const before = isJsonObject(object['data']) ? object['data'] : {};
    const data: Record<string, JsonObject[string]> = {};
    for (const [key, value] of Object.entries(before)) {
      const content = typeof value === 'string' ? decodeBase64(value) : undefined;
      const format = content === undefined ? undefined : detectSopsFormat(content);
      data[key] =
        content === undefined || format === undefined
          ? value
          : Buffer.from(await this.#decryptValue(object, key, content, format)).toString('base64');
    }
    return { ...object, data };
  }

  async #decryptValue(
    { metadata: { namespace = '', name } }: KubeObject,
    key: string,
    content: Uint8Array,
    format: SopsFormat,
  ): Promise<Uint8Array> {
    try {
      const { documents } = await this.#decrypt(readSopsFile(content, format));
      return printPlain(documents, formatOfKey(key));
    } catch (error) {
      throw failure(error, `failed to decrypt and format '${namespace}/${name}' Secret field '${key}'`);
    }
  }

  async #decrypt(file: SopsFile): Promise<DecryptedFile> {
    return decryptFile(file, await this.#dataKeys.of(file.metadata));
  }

  /** The file that an encrypted object comes from, as it lies in the tree: kustomize breaks the MAC of what it builds. */
  async #checkOrigin({ origins }: BuiltObject, tree: ReadableTree): Promise<void> {
    const path = origins.at('')?.path;
    const content = path === undefined ? undefined : tree.get(path);
    if (path === undefined || content === undefined || this.#checked.has(path)) return;
    this.#checked.set(path, await this.#check(path, content));
  }

  async #check(path: string, content: Uint8Array): Promise<readonly Diagnostic[]> {
    try {
      const { mac } = await this.#decrypt(readSopsFile(content, formatOfPath(path)));
      return macDiagnostics(path, mac);
    } catch (error) {
      if (!isPlumbError(error, 'DecryptionFailed')) throw error;
      // A file put together from several encrypted ones has no MAC of its own; its objects decrypt all the same.
      return macDiagnostics(path, 'mismatch');
    }
  }
}

function macDiagnostics(path: string, mac: DecryptedFile['mac']): readonly Diagnostic[] {
  if (mac === 'match') return [];
  return [
    {
      code: mac === 'missing' ? 'sops-mac-missing' : 'sops-mac-mismatch',
      severity: 'warning',
      message:
        mac === 'missing'
          ? 'the encrypted file has no MAC: nobody can tell whether a value was changed'
          : 'the MAC of the encrypted file does not match: a value was changed, moved or removed without sops',
      path,
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      hint: 'look at what changed in Git, then save the file with sops (or plumb sops edit); Flux applies it as it is',
    },
  ];
}

function isDecryptionDisabled({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['kustomize.toolkit.fluxcd.io/decrypt']?.toLowerCase() === 'disabled';
}

function holdsEncrypted({ kind, data }: KubeObject): boolean {
  if (kind !== 'Secret' || !isJsonObject(data)) return false;
  return Object.values(data).some(
    (value) => typeof value === 'string' && isEncryptedText(decodeBase64(value)?.toString() ?? ''),
  );
}

function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replaceAll(/[\r\n]/g, '');
  return compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
    ? Buffer.from(compact, 'base64')
    : undefined;
}

function failure(
  error: unknown,
  subject: string,
  path?: string,
  origin?: PlumbError['details']['origin'],
): PlumbError {
  const cause = asPlumbError(error);
  if (cause.kind === 'cancelled' || cause.kind === 'bug') return cause;
  const start = { line: 0, character: 0 };
  const place =
    origin ?? (path === undefined ? cause.details.origin : { path, range: { start, end: start } });
  return plumbError('BuildFailed', {
    message: `${subject}: ${cause.message}`,
    ...(place !== undefined && { origin: place }),
    ...(cause.hint !== undefined && { hint: cause.hint }),
    cause,
  });
}
