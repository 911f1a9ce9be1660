import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import {
  type Command,
  type CommandContext,
  flagOption,
  type OptionValue,
  textOption,
  UsageError,
} from '../command.ts';

const formats = ['yaml', 'json', 'dotenv', 'ini', 'binary'] as const;

export const sopsCommand: Command = {
  name: 'sops',
  summary: 'Edit, encrypt or decrypt a file of SOPS',
  usage: 'edit FILE | encrypt FILE | decrypt FILE',
  completions: [['edit', 'encrypt', 'decrypt'], 'file'],
  details: `edit opens the plain text in SOPS_EDITOR, VISUAL or EDITOR, as a file in memory (/dev/shm, Linux only) that is
removed when the editor ends. Only values that changed are encrypted anew, with the key the file has.
encrypt asks the creation rules of the nearest .sops.yaml, or takes recipients from --age; the result goes to the
standard output, or with --in-place into the file. decrypt prints the plain text and writes nothing.
Keys are found as sops finds them: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_FILE, the SSH keys
id_ed25519 and id_rsa, sops/age/keys.txt of the configuration folder; more with --key. Keys of AWS KMS, Google Cloud KMS,
Azure Key Vault and Vault are asked for with your own login: what the aws command uses, gcloud auth application-default
login, az login, VAULT_TOKEN and VAULT_ADDR.`,
  examples: [
    ['plumb sops edit apps/prod/secret.yaml', 'change a value'],
    ['plumb sops encrypt --in-place --encrypted-regex "^(data|stringData)$" secret.yaml', 'a new Secret'],
    ['plumb sops decrypt secret.yaml | less', 'look, and leave nothing behind'],
  ],
  options: {
    age: {
      type: 'string',
      multiple: true,
      value: 'RECIPIENT',
      description: 'encrypt for this age recipient (age1…, age1pq1…, ssh-…) instead of what .sops.yaml says',
    },
    'encrypted-regex': {
      type: 'string',
      value: 'PATTERN',
      description: 'encrypt: only values below keys that it matches',
    },
    'in-place': { type: 'boolean', short: 'i', description: 'encrypt: write the result into the file' },
    key: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      completion: 'file',
      description: 'a file with age identities, an SSH key or armored PGP keys',
    },
    format: {
      type: 'string',
      value: 'FORMAT',
      completion: formats,
      description: 'yaml, json, dotenv, ini or binary; by the ending when absent',
    },
  },
  run(ctx) {
    const [action, file, ...rest] = ctx.positionals;
    if (file === undefined || rest.length > 0) throw new UsageError('name an action and one file: edit FILE');
    const path = resolve(ctx.cwd, file);
    switch (action) {
      case 'edit':
        return edit(ctx, file, path);
      case 'encrypt':
        return encrypt(ctx, file, path);
      case 'decrypt':
        return decrypt(ctx, path);
      default:
        throw new UsageError(`the actions are edit, encrypt and decrypt, not ${String(action)}`);
    }
  },
};

async function edit(ctx: CommandContext, file: string, path: string): Promise<number> {
  const { editPath } = await import('../../engine/sops/sopsFiles.ts');
  const { changed, warning } = await editPath(path, (memoryFile) => openEditor(ctx, memoryFile), shared(ctx));
  if (warning !== undefined) ctx.terminal.err(`warning: ${warning}\n`);
  ctx.terminal.err(changed ? `${file} encrypted\n` : `${file} not changed\n`);
  return 0;
}

async function encrypt(ctx: CommandContext, file: string, path: string): Promise<number> {
  const { encryptPath, replaceFile } = await import('../../engine/sops/sopsFiles.ts');
  const encryptedRegex = textOption(ctx, 'encrypted-regex');
  const content = await encryptPath(path, {
    ...shared(ctx),
    recipients: listOption(ctx.options['age']).flatMap((entry) => entry.split(',')),
    ...(encryptedRegex !== undefined && { encryptedRegex }),
  });
  if (flagOption(ctx, 'in-place')) {
    await replaceFile(path, content);
    ctx.terminal.err(`${file} encrypted\n`);
  } else ctx.terminal.out(Buffer.from(content).toString());
  return 0;
}

async function decrypt(ctx: CommandContext, path: string): Promise<number> {
  const { decryptPath } = await import('../../engine/sops/sopsFiles.ts');
  const { plain, warning } = await decryptPath(path, shared(ctx));
  ctx.terminal.out(Buffer.from(plain).toString());
  if (warning === undefined) return 0;
  ctx.terminal.err(`warning: ${warning}\n`);
  return 1;
}

function shared(ctx: CommandContext) {
  const wanted = textOption(ctx, 'format');
  const format = formats.find((name) => name === wanted);
  if (wanted !== undefined && format === undefined)
    throw new UsageError(`--format takes ${formats.join(', ')}`);
  return {
    keyFiles: listOption(ctx.options['key']).map((name) => resolve(ctx.cwd, name)),
    signal: ctx.signal,
    ...(format !== undefined && { format }),
  };
}

/** The user's editor at the user's terminal; its own words (`code --wait`) stay apart. */
async function openEditor(ctx: CommandContext, file: string): Promise<void> {
  const named = ctx.env['SOPS_EDITOR'] ?? ctx.env['VISUAL'] ?? ctx.env['EDITOR'] ?? 'vi';
  const [program = 'vi', ...words] = named.split(/\s+/).filter((word) => word !== '');
  const child = spawn(program, [...words, file], { stdio: 'inherit', signal: ctx.signal });
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed).once('close', done);
  });
  if (code !== 0) throw new UsageError(`${program} ended with ${code}; the file is as it was`);
}

function listOption(value: OptionValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
