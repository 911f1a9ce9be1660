import { defaultFluxNamespace, parseFluxRef } from '../../engine/fluxRef.ts';
import { stringifyJson, type JsonValue } from '../../base/json.ts';
import type { Engine } from '../../protocol/engine.ts';
import type { EventsQuery, EventView } from '../../protocol/look.ts';
import { type Command, type CommandContext, flagOption, textOption, UsageError } from '../command.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { eventLine, eventsText } from '../printers/eventsText.ts';
import { printResult } from '../printResult.ts';

export const eventsCommand: Command = {
  name: 'events',
  summary: 'Show what the controllers said about Flux objects',
  usage: '[--for KIND/NAME] [-A] [--types Normal,Warning] [--watch] [-o text|json|yaml]',
  details:
    'The newest stands last. --for shows one object and the source it reads. With --watch it goes on until Ctrl-C, a line for\neach event; -o json then prints a JSON object on each line.',
  examples: [
    ['plumb events', 'those of the namespace flux-system'],
    ['plumb events --for kustomization/apps --watch', 'follow one workload and its source'],
    ['plumb events -A --types Warning', 'what went wrong anywhere'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    for: {
      type: 'string',
      value: 'KIND/NAME',
      completion: 'kindAndObject',
      description: 'only this object, and the source it reads',
    },
    'all-namespaces': { type: 'boolean', short: 'A', description: 'of every namespace' },
    types: {
      type: 'string',
      value: 'LIST',
      completion: ['Normal', 'Warning'],
      description: 'Normal, Warning or both with a comma; default: both',
    },
    watch: { type: 'boolean', short: 'w', description: 'go on with new events until Ctrl-C' },
  },
  run: (ctx) => {
    const query = queryOf(ctx);
    const types = typesOf(ctx);
    return withEngine(ctx, (engine) => {
      const read = async (): Promise<readonly EventView[]> =>
        (await engine.events(query, { signal: ctx.signal })).filter(({ type }) => types.includes(type));
      return flagOption(ctx, 'watch') ? follow(ctx, engine, read) : show(ctx, read);
    });
  },
};

async function show(ctx: CommandContext, read: () => Promise<readonly EventView[]>): Promise<number> {
  const events = await read();
  printResult(ctx, events, () => eventsText(events, ctx.terminal.style, Date.now()));
  return 0;
}

/** Prints each event once, and again when it was said once more. Ends with 0 on Ctrl-C. */
async function follow(
  ctx: CommandContext,
  engine: Engine,
  read: () => Promise<readonly EventView[]>,
): Promise<number> {
  const { signal, terminal } = ctx;
  const isJson = lineFormat(ctx) === 'json';
  const printed = new Set<string>();
  let wake = (): void => undefined;
  const listener = engine.onEvent((event) => {
    if (event.type === 'objectsChanged' && event.refs.some(({ kind }) => kind === 'Event')) wake();
  });
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      for (const event of await read()) {
        const line = stringifyJson(event as unknown as JsonValue);
        if (printed.has(line)) continue;
        printed.add(line);
        terminal.out(isJson ? `${line}\n` : eventLine(event, terminal.style));
      }
      await Promise.race([changed, aborted]);
    }
    return 0;
  } finally {
    listener.dispose();
  }
}

function queryOf(ctx: CommandContext): EventsQuery {
  if (ctx.positionals.length > 0)
    throw new UsageError(`unexpected ${ctx.positionals.join(' ')}; --for names an object`);
  const isEverywhere = flagOption(ctx, 'all-namespaces');
  const named = textOption(ctx, 'namespace');
  if (isEverywhere && named !== undefined) throw new UsageError('-A and -n exclude each other');
  const about = textOption(ctx, 'for');
  const namespace = named ?? defaultFluxNamespace;
  if (about === undefined) return isEverywhere ? {} : { namespace };
  // A source may live in another namespace than what reads it: it is among the events of all that may be read.
  return { ...(!isEverywhere && { namespace }), about: parseFluxRef([about], named) };
}

function typesOf(ctx: CommandContext): readonly string[] {
  const types = (textOption(ctx, 'types') ?? 'Normal,Warning').split(',');
  const unknown = types.find((type) => type !== 'Normal' && type !== 'Warning');
  if (unknown !== undefined)
    throw new UsageError(`--types takes Normal and Warning, not ${JSON.stringify(unknown)}`);
  return types;
}

function lineFormat(ctx: CommandContext): 'text' | 'json' {
  const format = textOption(ctx, 'output') ?? 'text';
  if (format === 'text' || format === 'json') return format;
  throw new UsageError(`--watch prints text or json, not ${JSON.stringify(format)}`);
}
