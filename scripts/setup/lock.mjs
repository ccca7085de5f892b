import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cacheFolder, say } from './checkout.mjs';

const lockFolder = `${cacheFolder}/lock`;
const ownerFile = `${lockFolder}/pid`;
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function ownerAlive(readOwner = () => Number(readFileSync(ownerFile, 'utf8'))) {
  try {
    process.kill(readOwner(), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function tryLock() {
  mkdirSync(cacheFolder, { recursive: true });
  try {
    mkdirSync(lockFolder);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(ownerFile, String(process.pid));
  return true;
}

/** A lock whose owner died is renamed first: of two processes that find it, only one succeeds. */
function breakLock() {
  const aside = `${lockFolder}.${process.pid}`;
  try {
    renameSync(lockFolder, aside);
  } catch {
    return;
  }
  rmSync(aside, { recursive: true, force: true });
}

/** Waits until no other set-up of this checkout runs; returns what lets the next one run. Not re-entrant. */
export function lock() {
  for (let turn = 0; !tryLock(); turn += 1) {
    if (turn === 0) say('another set-up of this checkout is running: waiting for it');
    pause(200);
    // The first turns give a new owner time to write its pid.
    if (turn >= 5 && !ownerAlive()) breakLock();
  }
  return () => rmSync(lockFolder, { recursive: true, force: true });
}

/** Runs `body` while no other set-up of this checkout runs. */
export function withLock(body) {
  const unlock = lock();
  try {
    return body();
  } finally {
    unlock();
  }
}
