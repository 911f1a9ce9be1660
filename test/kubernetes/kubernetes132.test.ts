import { testKubernetes } from './testKubernetes.ts';

await testKubernetes('1.32');
