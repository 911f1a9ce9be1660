import { inflateRawSync } from 'node:zlib';

/** One file of a zip archive. */
export interface ZipEntry {
  /** As the archive has it, `/` between folders. */
  readonly path: string;
  readonly isExecutable: boolean;
  /** The content, unpacked on call. Throws when it does not have the size that the archive states. */
  read(): Buffer;
}

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const endSize = 22;
const longestComment = 0xffff;
const stored = 0;
const deflated = 8;

/** The files of a zip archive (no zip64, no encryption: wheels have neither). Throws on one that is damaged. */
export function zipEntries(archive: Buffer): ZipEntry[] {
  const end = findEnd(archive);
  const count = archive.readUInt16LE(end + 10);
  const entries: ZipEntry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== centralSignature)
      throw new Error('damaged zip archive: no entry where one should be');
    const nameLength = archive.readUInt16LE(at + 28);
    const path = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const unixMode = archive.readUInt32LE(at + 38) >>> 16;
    if (!path.endsWith('/'))
      entries.push({ path, isExecutable: (unixMode & 0o111) !== 0, read: reader(archive, at) });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

function findEnd(archive: Buffer): number {
  const lowest = Math.max(0, archive.length - endSize - longestComment);
  for (let at = archive.length - endSize; at >= lowest; at -= 1)
    if (archive.readUInt32LE(at) === endSignature) return at;
  throw new Error('no zip archive: its directory is missing');
}

function reader(archive: Buffer, central: number): () => Buffer {
  return () => {
    const method = archive.readUInt16LE(central + 10);
    const packedSize = archive.readUInt32LE(central + 20);
    const size = archive.readUInt32LE(central + 24);
    const local = archive.readUInt32LE(central + 42);
    if (archive.readUInt32LE(local) !== localSignature)
      throw new Error('damaged zip archive: no file where one should be');
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(start, start + packedSize);
    if (method !== stored && method !== deflated) throw new Error(`zip method ${method} is not supported`);
    const content =
      method === stored ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
    if (content.length !== size) throw new Error('damaged zip archive: a file has another size than stated');
    return content;
  };
}
