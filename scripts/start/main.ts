// npm start: acts out Plumb's main job on a real control plane and leaves it running with the editor open on it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type DemoState, demoFolder, readDemoState } from './demoState.ts';
import { ensureHost, stopHost } from './hostProcess.ts';
import { actOut } from './story.ts';
import { heading, note, progressLine } from './telling.ts';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    'no-editor': { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(
    'npm start                  act out the main job, leave everything running, print a link to VS Code\n' +
      'npm start -- --no-editor   the same without VS Code\n' +
      'npm start -- --once        the same as a check: exit 0 only if every step held, leave nothing behind\n' +
      'npm start -- --stop        stop what npm start left running\n',
  );
} else if (values.stop) {
  const state = readDemoState(demoFolder());
  if (state === undefined) note('nothing runs');
  else await stopHost(demoFolder(), state.pid);
} else {
  process.exitCode = values.once ? await runOnce() : await runAndLeave();
}

async function runOnce(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-demo-'));
  return play(folder, async () => {
    const state = readDemoState(folder);
    if (state !== undefined) await stopHost(folder, state.pid);
    rmSync(folder, { recursive: true, force: true });
  });
}

function runAndLeave(): Promise<number> {
  return play(demoFolder(), undefined);
}

/** Plays the story; `cleanUp` runs whatever happens. A failure of a run that leaves things running stops them too. */
async function play(folder: string, cleanUp: (() => Promise<void>) | undefined): Promise<number> {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());
  try {
    if (!buildBundles()) return 1;
    const ready = await ensureHost(folder, !values['no-editor'], abort.signal);
    await actOut(ready, abort.signal);
    if (!values['no-editor']) await showEditor(folder, abort.signal);
    if (cleanUp === undefined) {
      note('Everything keeps running: npm start -- --stop ends it.');
      note(`For a terminal of your own: export KUBECONFIG=${ready.kubeconfig}; cd ${ready.fleetFolder}`);
      note(`and the command line: alias plumb="'${process.execPath}' '${join(root, 'dist/cli.mjs')}'"`);
    } else {
      heading('Every step held');
    }
    return 0;
  } catch (error) {
    process.stderr.write(`\n✗ ${abort.signal.aborted ? 'cancelled' : messageOf(error)}\n`);
    const state = readDemoState(folder);
    if (state !== undefined && cleanUp === undefined) await stopHost(folder, state.pid);
    return abort.signal.aborted ? 130 : 1;
  } finally {
    await cleanUp?.();
  }
}

function buildBundles(): boolean {
  const result = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status === 0) return true;
  process.stderr.write('the bundles could not be built; the lines above say why\n');
  return false;
}

async function showEditor(folder: string, signal: AbortSignal): Promise<void> {
  const progress = progressLine('VS Code in the browser');
  for (;;) {
    const state: DemoState | undefined = readDemoState(folder);
    if (state === undefined) throw new Error('the demo ended while VS Code was starting');
    if (state.editor !== undefined) {
      progress.done();
      heading('Look at it in the real VS Code (drift is waiting in the GitOps view)');
      process.stdout.write(`\n    ${state.editor.url}\n    password: ${state.editor.password}\n\n`);
      return;
    }
    const message = state.editorMessage ?? 'starting';
    if (message.startsWith('VS Code did not start')) throw new Error(message);
    progress.update(message);
    await delay(200, undefined, { signal });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
