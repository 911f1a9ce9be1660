import { isJsonObject, type JsonArray, type JsonObject, type JsonValue } from '../../base/json.ts';
import { formatGoFloat } from '../../kube/goFloat.ts';
import { yamlStyle } from '../../kube/yamlNode.ts';
import { resolveTag, tags } from '../../kube/yamlScalar.ts';
import { fieldsOf, nowhere, type Node, type Place } from './node.ts';
import { compareBytes } from './resource.ts';

/**
 * Nodes for a JSON value as upstream makes them when it passes through JSON: keys sorted, types in the tags. Each node
 * takes its place from the node at the same path of `like`, or of the nearest one above.
 * With `flow` style the JSON text itself was read as YAML; otherwise it was printed as YAML first, and numbers are floats.
 */
export function nodeOfJson(
  value: JsonValue,
  like: Node | undefined,
  style: number,
  above: Place = nowhere,
): Node {
  const place = like ?? above;
  const make = (
    kind: Node['kind'],
    tag: string,
    nodeStyle: number,
    text: string,
    items: readonly Node[],
  ): Node => ({
    kind,
    tag,
    style: nodeStyle,
    text,
    items,
    source: place.source,
    start: place.start,
    end: place.end,
    anchor: undefined,
    target: undefined,
    owner: undefined,
    share: undefined,
  });
  if (Array.isArray(value)) {
    const items = (value as JsonArray).map((item, index) =>
      nodeOfJson(item, like?.kind === 'seq' ? like.items[index] : undefined, style, place),
    );
    return make('seq', tags.seq, style, '', items);
  }
  if (isJsonObject(value))
    return make('map', tags.map, style, '', objectItems(value, like, style, place, make));
  const isFlow = style === yamlStyle.flow;
  if (typeof value === 'string')
    return make('scalar', tags.str, isFlow ? yamlStyle.doubleQuoted : styleOf(value), value, []);
  if (value === null) return make('scalar', tags.null, 0, 'null', []);
  if (typeof value === 'boolean') return make('scalar', tags.bool, 0, String(value), []);
  const text = isFlow ? String(value) : formatGoFloat(Number(value));
  return make('scalar', resolveTag(text, 'v3'), 0, text, []);
}

type Make = (kind: Node['kind'], tag: string, style: number, text: string, items: readonly Node[]) => Node;

function objectItems(
  object: JsonObject,
  like: Node | undefined,
  style: number,
  place: Place,
  make: Make,
): Node[] {
  const items: Node[] = [];
  const alike = fieldsOf(like);
  for (const key of Object.keys(object).sort(compareBytes)) {
    const keyStyle = style === yamlStyle.flow ? yamlStyle.doubleQuoted : styleOf(key);
    items.push(make('scalar', tags.str, keyStyle, key, []));
    items.push(nodeOfJson(object[key] as JsonValue, alike(key), style, place));
  }
  return items;
}

/** The style go-yaml v3 gives a string. */
function styleOf(text: string): number {
  if (text.includes('\n')) return yamlStyle.literal;
  return resolveTag(text, 'v2') === tags.str && text !== '' ? yamlStyle.plain : yamlStyle.doubleQuoted;
}
