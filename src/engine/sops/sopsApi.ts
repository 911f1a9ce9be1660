import { createHash } from 'node:crypto';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import { formatOfPath, hasSopsMarker } from '../../lib/sops/sopsFormat.ts';
import type { CallOptions, DecryptedText, SopsApi } from '../../protocol/engine.ts';
import { closeEncrypted, type OpenedFile } from './encryptedFile.ts';
import { encryptPath, macWarning, openPath, readContent, replaceFile } from './sopsFiles.ts';

/** Files encrypted with SOPS for an editor: each call reads the file and unwraps its key anew, and keeps neither. */
export function createSopsApi(signalOf: (call: CallOptions | undefined) => AbortSignal): SopsApi {
  const open = (path: string, call: CallOptions | undefined) =>
    openPath(path, { keyFiles: [], signal: signalOf(call) });
  return {
    isEncrypted: async (path) => hasSopsMarker(await readContent(path), formatOfPath(path)),
    async decryptFile(path, call) {
      const opened = await open(path, call);
      return view(path, opened.plain, opened.content, opened.mac);
    },
    async saveEncrypted(path, digest, text, call) {
      const opened = await open(path, call);
      if (digestOf(opened.content) !== digest)
        throw plumbError('PlanOutdated', {
          subject: path,
          message: 'the file was changed on disk since it was opened',
          hint: 'nothing was written: copy what you changed, close the text without encrypting it, and open it again',
        });
      const plain = Buffer.from(text);
      if (plain.equals(opened.plain)) return view(path, opened.plain, opened.content, opened.mac);
      const content = closed(path, opened, plain);
      await replaceFile(path, content);
      return view(path, plain, content, 'match');
    },
    async encryptFile(path, call) {
      const signal = signalOf(call);
      await replaceFile(path, await encryptPath(path, { keyFiles: [], recipients: [], signal }));
    },
  };
}

/** A parser may quote what it does not understand, and that may be a secret: the line is all that is told. */
function closed(path: string, opened: OpenedFile, plain: Uint8Array): Uint8Array {
  try {
    return closeEncrypted(opened, plain, Date.now());
  } catch (error) {
    if (!isPlumbError(error, 'DecryptionFailed')) throw error;
    const line = /\bline \d+/.exec(error.message)?.[0];
    throw plumbError('DecryptionFailed', {
      subject: path,
      message: `the text is no ${opened.format} that sops could encrypt${line === undefined ? '' : `: see ${line}`}`,
      hint: 'nothing was written: correct it and save again',
    });
  }
}

function view(path: string, plain: Uint8Array, content: Uint8Array, mac: OpenedFile['mac']): DecryptedText {
  return { text: textOf(path, plain), digest: digestOf(content), ...macWarning(path, mac) };
}

function textOf(path: string, plain: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  } catch {
    throw plumbError('DecryptionFailed', {
      subject: path,
      message: 'what is encrypted in it is no text, so an editor cannot show it',
      hint: 'plumb sops decrypt gives it to a pipe',
    });
  }
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
