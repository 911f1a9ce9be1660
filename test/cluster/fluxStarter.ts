/** A process that starts a Flux controller and then does nothing: the test kills it. Prints the controller's process id. */
import { writeSync } from 'node:fs';
import { startFluxController } from '../../src/clients/sandbox/fluxControllers.ts';

const [kubeconfig = '', program = ''] = process.argv.slice(2);
const controller = await startFluxController({ name: 'kustomize-controller', program, kubeconfig });
await controller.untilLeading();
writeSync(1, `${controller.pid}\n`);
setInterval(() => undefined, 60_000);
