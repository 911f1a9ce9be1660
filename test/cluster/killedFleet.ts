import assert from 'node:assert/strict';
import { inventoryOf } from '../../src/flux/kustomization.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { managedFieldsOf } from '../../src/kube/managedFields.ts';
import { formatRef, refOf, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { configMap, inNamespace, type FluxCluster } from './fluxCluster.ts';
import { openDefinition } from './openDefinition.ts';

/** What a revision wants: values of ConfigMaps by name, and whether there is a definition with its custom resource. */
export interface Revision {
  readonly values: Readonly<Record<string, string>>;
  readonly hasWidget: boolean;
}

/** What engines are killed over: revisions of one Kustomization at `./apps`, and what must hold after a kill and after a whole run. */
export interface KilledFleet {
  randomRevision(random: () => number, turn: number): Revision;
  /** The files of the revision; null removes one. */
  filesOf(revision: Revision): Readonly<Record<string, string | null>>;
  /** Nothing is there that nobody knows of, and nothing is gone that both revisions want. */
  checkKilled(ref: ObjectRef, before: Revision, now: Revision, point: string): Promise<void>;
  /** Exactly what a run that nobody kills leaves behind. */
  checkConverged(ref: ObjectRef, revision: Revision, point: string): Promise<void>;
  /** Live objects with the labels of the Kustomization. */
  owned(name: string): Promise<ReadonlyMap<string, KubeObject>>;
}

const names = ['a', 'b', 'c', 'd', 'e', 'f'];

/** The seed that the variable gives; else a new one for a long run, as the other variable asks for, and always the same for a short one. */
export function seedOf(variable: string, longRun: string): number {
  const given = process.env[variable] ?? (process.env[longRun] === undefined ? 1 : Date.now() % 1_000_000);
  return Number(given);
}

/** Mulberry32: small, and the same numbers for the same seed. */
export function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function killedFleet(flux: FluxCluster, namespace: string): KilledFleet {
  const group = `${namespace}.example`;
  const definition = JSON.stringify(openDefinition(group, 'Widget'));
  const widget = inNamespace(
    namespace,
    `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: w\nspec: {size: 1}\n`,
  );

  function wantedBy({ values, hasWidget }: Revision): readonly string[] {
    const maps = Object.keys(values).map((name) => `ConfigMap/${namespace}/${name}`);
    const custom = [`CustomResourceDefinition/widgets.${group}`, `Widget/${namespace}/w`];
    return [...maps, ...(hasWidget ? custom : [])].sort();
  }

  async function recordedIn(ref: ObjectRef): Promise<readonly string[]> {
    return inventoryOf(await flux.get<Kustomization>(ref)).map(formatRef);
  }

  async function owned(name: string): Promise<ReadonlyMap<string, KubeObject>> {
    const labelSelector = `kustomize.toolkit.fluxcd.io/name=${name},kustomize.toolkit.fluxcd.io/namespace=${namespace}`;
    const kinds = [
      { group: '', version: 'v1', kind: 'ConfigMap' },
      { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
      { group, version: 'v1', kind: 'Widget' },
    ];
    const lists = await Promise.all(kinds.map((kind) => flux.client.list(kind, { labelSelector })));
    const objects = lists.flatMap((list) => (list.type === 'ok' ? list.value : []));
    return new Map(
      objects
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map((object) => [formatRef(refOf(object)), object]),
    );
  }

  return {
    randomRevision(random, turn) {
      const chosen = names.filter(() => random() < 0.6);
      return {
        values: Object.fromEntries(chosen.map((name) => [name, random() < 0.5 ? 'same' : `turn ${turn}`])),
        hasWidget: random() < 0.6,
      };
    },
    filesOf({ values, hasWidget }) {
      const maps = names.map((name) => {
        const value = values[name];
        const text = value === undefined ? null : inNamespace(namespace, configMap(name, { value }));
        return [`apps/${name}.yaml`, text] as const;
      });
      const resources = [
        ...Object.keys(values).map((name) => `${name}.yaml`),
        ...(hasWidget ? ['definition.yaml', 'widget.yaml'] : []),
      ];
      return {
        ...Object.fromEntries(maps),
        'apps/definition.yaml': hasWidget ? definition : null,
        'apps/widget.yaml': hasWidget ? widget : null,
        'apps/kustomization.yaml': `resources: [${resources.join(', ')}]\n`,
      };
    },
    async checkKilled(ref, before, now, point) {
      const recorded = new Set(await recordedIn(ref));
      const live = await owned(ref.name);
      for (const name of live.keys()) assert.ok(recorded.has(name), `${point}: ${name} is an orphan`);
      const wanted = new Set(wantedBy(now));
      for (const name of wantedBy(before))
        if (wanted.has(name)) assert.ok(live.has(name), `${point}: ${name} was pruned`);
    },
    async checkConverged(ref, revision, point) {
      const live = await owned(ref.name);
      assert.deepEqual([...live.keys()].sort(), wantedBy(revision), point);
      assert.deepEqual([...(await recordedIn(ref))].sort(), wantedBy(revision), point);
      for (const [name, value] of Object.entries(revision.values)) {
        const object = live.get(`ConfigMap/${namespace}/${name}`) as KubeObject;
        assert.deepEqual(object['data'], { value }, point);
        const managers = managedFieldsOf(object).map(({ manager, operation }) => `${manager} ${operation}`);
        assert.deepEqual(managers, ['kustomize-controller Apply'], point);
      }
    },
    owned,
  };
}
