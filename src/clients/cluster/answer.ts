import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import type { Answer } from './clusterClient.ts';
import { refusalFrom } from './refusal.ts';
import type { HttpAnswer } from './transport.ts';

/** What the API server answered, warnings included. Throws RequestFailed for what it would never say. */
export function answerFrom({ status, headers, body }: HttpAnswer, server: string): Answer<JsonObject> {
  if (status < 200 || status >= 300) return { type: 'refused', refusal: refusalFrom(status, body) };
  const value = parsedAnswer(body);
  if (!isJsonObject(value))
    throw plumbError('RequestFailed', {
      message: `${server}: the answer is no JSON object`,
      hint: 'check the server address and the proxy: something else than the API server answered',
    });
  return { type: 'ok', value, warnings: warningsOf(headers['warning']) };
}

function parsedAnswer(body: string): JsonValue | undefined {
  try {
    return parseJson(body);
  } catch (error) {
    if (isPlumbError(error)) throw error;
    // Told by the caller, without the text: it may hold a Secret.
    return undefined;
  }
}

/** `299 - "text"`, any number of them; quotes inside are escaped. */
function warningsOf(header: string | string[] | undefined): readonly string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/299 [^\s]+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? '').replace(/\\(.)/g, '$1'),
  );
}
