import type { JsonValue } from '../base/json.ts';
import { printYaml } from '../kube/yamlPrint.ts';
import { type CommandContext, textOption, UsageError } from './command.ts';

/** Prints a result: as text for people, or the same data as JSON or YAML for machines. */
export function printResult(ctx: CommandContext, data: object, text: () => string): void {
  const format = textOption(ctx, 'output') ?? 'text';
  switch (format) {
    case 'text':
      return ctx.terminal.out(text());
    case 'json':
      return ctx.terminal.out(`${JSON.stringify(data, undefined, 2)}\n`);
    case 'yaml':
      return ctx.terminal.out(printYaml(JSON.parse(JSON.stringify(data)) as JsonValue));
    default:
      throw new UsageError(`--output takes text, json or yaml, not ${JSON.stringify(format)}`);
  }
}
