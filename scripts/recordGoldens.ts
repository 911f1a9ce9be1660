// Asks the real upstream libraries for every contract case and writes their answers as golden files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from '../src/base/json.ts';
import {
  builds,
  caseNames,
  fluxObject,
  goldenFiles,
  goldenFolder,
  readCase,
} from '../test/contract/kustomize/cases.ts';
import { readTables, vectorFolder, vectorSuites } from '../test/contract/vectors.ts';
import { startOracle, startSopsOracle, type OracleAnswer } from '../test/oracle/oracle.ts';

await recordSops();
const oracle = await startOracle();
try {
  for (const suite of vectorSuites) {
    rmSync(join(vectorFolder(suite), 'golden'), { recursive: true, force: true });
    mkdirSync(join(vectorFolder(suite), 'golden'));
    for (const [table, cases] of readTables(suite)) {
      const answers: Record<string, OracleAnswer> = {};
      for (const { name, input } of cases) answers[name] = required(name, await oracle.ask(suite, input));
      const file = join(vectorFolder(suite), 'golden', `${table}.json`);
      writeFileSync(file, `${JSON.stringify(answers, undefined, 2)}\n`);
    }
  }
  rmSync(goldenFolder, { recursive: true, force: true });
  mkdirSync(goldenFolder);
  for (const name of caseNames()) await recordBuilds(name);
} finally {
  await oracle.close();
}

/** Encrypts with the real library, and decrypts again what it wrote. */
async function recordSops(): Promise<void> {
  const sops = await startSopsOracle();
  try {
    for (const [table, cases] of readTables('sops')) {
      const answers: Record<string, OracleAnswer> = {};
      for (const { name, input } of cases) {
        const keyring = importPgp(input['pgpKey']);
        const request = keyring === undefined ? input : { ...input, environment: { GNUPGHOME: keyring } };
        const encrypted = required(name, await sops.ask('encrypt', request));
        if (keyring !== undefined) rmSync(keyring, { recursive: true });
        answers[name] = encrypted;
        if (encrypted.error !== undefined || input['encryptOnly'] === true) continue;
        const { encrypted: text } = encrypted.output as { encrypted: string };
        const environment = { SOPS_AGE_KEY: input['ageKey'] };
        const plain = await sops.ask('decrypt', { format: input['format'], text, environment });
        answers[name] = { output: { encrypted: text, ...(required(name, plain).output as JsonObject) } };
      }
      const file = join(vectorFolder('sops'), 'golden', `${table}.json`);
      mkdirSync(join(vectorFolder('sops'), 'golden'), { recursive: true });
      writeFileSync(file, `${JSON.stringify(answers, undefined, 2)}\n`);
    }
  } finally {
    await sops.close();
  }
}

/** A keyring of its own for gpg, which SOPS asks. */
function importPgp(key: JsonValue | undefined): string | undefined {
  if (typeof key !== 'string') return undefined;
  const home = mkdtempSync(join(tmpdir(), 'plumb-gpg-'));
  const run = (program: string, args: readonly string[], text: string): void => {
    const { status } = spawnSync(program, ['--homedir', home, ...args], { input: text, stdio: 'pipe' });
    if (status !== 0) throw new Error(`${program} failed: recording PGP cases needs GnuPG`);
  };
  run('gpg', ['--batch', '--import'], key);
  run('gpgconf', ['--kill', 'all'], '');
  return home;
}

async function recordBuilds(name: string): Promise<void> {
  const { files, options } = readCase(name);
  const tree: JsonObject = {
    bytes: Object.fromEntries(
      [...files].map(([path, content]) => [path, Buffer.from(content).toString('base64')]),
    ),
    path: options.path ?? '',
    loadRestrictor: options.loadRestrictor ?? '',
    kustomization: fluxObject(options),
  };
  for (const build of builds) {
    const answer = required(name, await oracle.ask(build, tree));
    const [output, error] = goldenFiles(name, build);
    if (answer.error === undefined) writeFileSync(output, String(answer.output));
    // Upstream prints addresses in some messages.
    else writeFileSync(error, `${answer.error.replace(/0x[0-9a-f]{6,}/g, '0x…')}\n`);
  }
}

function required(name: string, answer: OracleAnswer): OracleAnswer {
  if (answer.error?.startsWith('oracle:')) throw new Error(`${name}: ${answer.error}`);
  return answer;
}
