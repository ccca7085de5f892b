// One target, in its thread.
import { parentPort, workerData } from 'node:worker_threads';
import { targetsOf } from './targets.mjs';

const { name, runs, seed, forMs, file, begun } = workerData;
const target = (await targetsOf(file)).find((one) => one.name === name);
const onRun = () => void Atomics.add(begun, 0, 1);
parentPort.postMessage(await target.run({ runs, seed, forMs, onRun }));
