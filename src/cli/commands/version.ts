import packageJson from '../../../package.json' with { type: 'json' };
import type { Command } from '../command.ts';

export const versionCommand: Command = {
  name: 'version',
  summary: 'Show the version of Plumb',
  usage: '[-o json]',
  examples: [['plumb version', 'the version, and the Flux line it follows']],
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      completion: ['text', 'json'],
      description: 'text (default) or json',
    },
  },
  run: ({ terminal, options }) => {
    const version = { plumb: packageJson.version, flux: '2.9', node: process.versions.node };
    const text = `plumb ${version.plumb} (follows Flux ${version.flux}, runs on Node ${version.node})\n`;
    terminal.out(options['output'] === 'json' ? `${JSON.stringify(version, undefined, 2)}\n` : text);
    return Promise.resolve(0);
  },
};
