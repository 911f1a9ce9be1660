import { printDotenv, readDotenv } from './dotenvStore.ts';
import { printIni, readIni } from './iniStore.ts';
import { printJson, readJson } from './jsonStore.ts';
import type { MetadataLayout } from './metadata.ts';
import { decryptionError, memberOf, sopsMap, type SopsDocuments } from './sopsTree.ts';
import { printYamlDocuments } from './yamlPrinter.ts';
import { readYaml } from './yamlStore.ts';

/** A file format of SOPS. An encrypted binary file is JSON around its content. */
export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary';

/** What marks a file of a format as encrypted, without reading it: what the kustomize-controller looks for. */
const markers: Readonly<Record<SopsFormat, string>> = {
  yaml: 'mac: ENC[',
  json: '"mac": "ENC[',
  dotenv: 'sops_mac=ENC[',
  ini: '[sops]',
  binary: '"mac": "ENC[',
};

export const metadataLayouts: Readonly<Record<SopsFormat, MetadataLayout>> = {
  yaml: 'nested',
  json: 'nested',
  binary: 'nested',
  ini: 'flatBelowTop',
  dotenv: 'flat',
};

/** The format that a path's ending names; anything else is binary. */
export function formatOfPath(path: string): SopsFormat {
  if (/\.ya?ml$/.test(path)) return 'yaml';
  if (path.endsWith('.json')) return 'json';
  if (path.endsWith('.env')) return 'dotenv';
  return path.endsWith('.ini') ? 'ini' : 'binary';
}

/** True when the content has the format's mark of an encrypted file. */
export function hasSopsMarker(content: Uint8Array, format: SopsFormat): boolean {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).includes(markers[format]);
}

/** The format of an encrypted value whose name says nothing; undefined when it bears no mark. */
export function detectSopsFormat(content: Uint8Array): SopsFormat | undefined {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  // `sops_mac=` first and JSON before YAML: no mark is part of another, but content of one may quote another.
  return (['json', 'dotenv', 'ini', 'yaml'] as const).find((format) => text.includes(markers[format]));
}

/** The documents of an encrypted file. Throws DecryptionFailed when it is no file of that format. */
export function readEncrypted(content: Uint8Array, format: SopsFormat): SopsDocuments {
  const text = textOf(content);
  switch (format) {
    case 'yaml':
      return readYaml(text);
    case 'json':
    case 'binary':
      return [readJson(text)];
    case 'dotenv':
      return [readDotenv(text)];
    case 'ini':
      return [readIni(text)];
  }
}

/** The documents of a plain file. Throws DecryptionFailed. */
export function readPlain(content: Uint8Array, format: SopsFormat): SopsDocuments {
  return format === 'binary'
    ? [sopsMap([{ key: 'data', value: textOf(content) }])]
    : readEncrypted(content, format);
}

/** The text of an encrypted file. */
export function printEncrypted(documents: SopsDocuments, format: SopsFormat): Uint8Array {
  return format === 'binary' ? printPlain(documents, 'json') : printPlain(documents, format);
}

/** The text of a plain file. Throws DecryptionFailed when the format cannot hold the values. */
export function printPlain(documents: SopsDocuments, format: SopsFormat): Uint8Array {
  const first = documents[0] ?? sopsMap([]);
  switch (format) {
    case 'yaml':
      return Buffer.from(printYamlDocuments(documents));
    case 'json':
      return Buffer.from(printJson(first));
    case 'dotenv':
      return Buffer.from(printDotenv(first));
    case 'ini':
      return Buffer.from(printIni(first));
    case 'binary': {
      const data = memberOf(first, 'data');
      if (documents.length === 1 && typeof data === 'string') return Buffer.from(data);
      throw decryptionError('error emitting binary store: no binary data found in tree');
    }
  }
}

function textOf(content: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(content);
}
