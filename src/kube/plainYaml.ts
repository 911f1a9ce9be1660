import { parse, YAMLParseError } from 'yaml';
import type { JsonValue } from '../base/json.ts';

/** The one document of the text as plain JSON, or the line (from one) and words of what is wrong with it; no content is told. */
export function parsePlainYaml(
  text: string,
): { readonly value: JsonValue } | { readonly line?: number; readonly problem: string } {
  try {
    return { value: parse(text, { prettyErrors: false, strict: true, logLevel: 'error' }) as JsonValue };
  } catch (error) {
    if (!(error instanceof YAMLParseError)) return { problem: 'is not YAML' };
    const line = text.slice(0, error.pos[0]).split('\n').length;
    return { line, problem: error.code.toLowerCase().replaceAll('_', ' ') };
  }
}
