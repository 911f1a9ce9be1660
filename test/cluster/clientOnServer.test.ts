import { sandboxCluster } from './sandboxCluster.ts';
import { testClientOn } from './clientOnServer.ts';

await testClientOn(await sandboxCluster());
