import { plainText } from './plainText.ts';
import { decryptionError, sopsMap, type SopsItem, type SopsMap } from './sopsTree.ts';

/** The lines of a dotenv file: keys with their text, and comments. Throws DecryptionFailed for a line that is neither. */
export function readDotenv(text: string): SopsMap {
  const items = text.split('\n').flatMap((line, index): SopsItem[] => {
    if (line === '') return [];
    if (line.startsWith('#'))
      return [{ key: { kind: 'comment', value: line.slice(1), isInline: false }, value: null }];
    const equals = line.indexOf('=');
    if (equals < 0) throw decryptionError(`invalid dotenv input: line ${index + 1} has no =`);
    return [{ key: line.slice(0, equals), value: line.slice(equals + 1).replaceAll('\\n', '\n') }];
  });
  return sopsMap(items);
}

/** As SOPS writes dotenv files: line breaks in values as `\n`. Throws DecryptionFailed for lists and mappings. */
export function printDotenv(map: SopsMap): string {
  return map.items
    .map(({ key, value }) => {
      if (typeof key !== 'string') return `#${key.value}\n`;
      const text = plainText(value);
      if (text === undefined)
        throw decryptionError(`cannot use complex value in dotenv file; offending key ${key}`);
      return `${key}=${typeof value === 'string' ? text.replaceAll('\n', '\\n') : text}\n`;
    })
    .join('');
}
