import { isJsonObject, type JsonValue } from '../base/json.ts';
import type { Origin } from '../base/position.ts';
import { joinPointer } from '../kube/jsonPointer.ts';
import type { Change } from './plan.ts';

/** One complaint of the server about an object, with the line that set the field where Git has one. */
export interface FieldComplaint {
  readonly message: string;
  /** `spec.template.spec.containers[0].image`, as the server writes it. */
  readonly field?: string;
  readonly origin?: Origin;
}

type Refused = Pick<Change, 'refusal' | 'origins' | 'desired'>;

/** What the server said about a refused object, field by field; the object as a whole where it names no field. */
export function complaintsOf({ refusal, origins, desired }: Refused): readonly FieldComplaint[] {
  if (refusal === undefined) return [];
  const causes = refusal.causes.length > 0 ? refusal.causes : typeErrors(refusal.message);
  if (causes.length === 0) return [withOrigin({ message: refusal.message }, origins.at(''))];
  return causes.map(({ field, message = refusal.message }) =>
    field === undefined
      ? withOrigin({ message }, origins.at(''))
      : withOrigin({ message, field }, origins.at(pointerOfField(field, desired)) ?? origins.at('')),
  );
}

function withOrigin(complaint: FieldComplaint, origin: Origin | undefined): FieldComplaint {
  return origin === undefined ? complaint : { ...complaint, origin };
}

/** Tells whether the object does not fit its schema: the server answers that like a failure of its own. */
export function isTypeError(message: string): boolean {
  return message.startsWith('failed to create typed patch object');
}

/** The fields of a server-side apply that does not fit the schema, `.spec.ports[0].port: expected numeric …` each. */
function typeErrors(text: string): readonly { readonly field: string; readonly message: string }[] {
  if (!isTypeError(text)) return [];
  return [...text.matchAll(/(?:^\s*|: )\.([^\s:][^\n:]*): ([^\n]+)/gm)].map(
    ([, field = '', message = '']) => ({
      field,
      message: `${field}: ${message}`,
    }),
  );
}

/** `spec.ports[0].name`, `metadata.annotations[a.b/c]` and `spec.containers[name="web"].image` as JSON pointers. */
function pointerOfField(field: string, object: JsonValue): string {
  let pointer = '';
  let value: JsonValue | undefined = object;
  for (const [, name, bracket = ''] of field.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    const token: string = name ?? (bracket.includes('="') ? String(indexWith(bracket, value)) : bracket);
    pointer = joinPointer(pointer, token);
    value = Array.isArray(value) ? value[Number(token)] : isJsonObject(value) ? value[token] : undefined;
  }
  return pointer;
}

/** The element of a list whose keys are these, `name="web",protocol="TCP"`; numbers are not quoted. */
function indexWith(keys: string, list: JsonValue | undefined): number {
  const wanted = [...keys.matchAll(/([^=,]+)=(?:"([^"]*)"|([^,]*))/g)];
  return Array.isArray(list)
    ? list.findIndex(
        (element: JsonValue) =>
          isJsonObject(element) &&
          wanted.every(([, key = '', text, plain]) => String(element[key]) === (text ?? plain)),
      )
    : -1;
}
