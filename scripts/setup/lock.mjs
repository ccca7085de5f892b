import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, say } from './checkout.mjs';

const ownLock = `${cacheFolder}/lock`;
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

const ownName = (folder) => `${folder}.${process.pid}`;

function isOwned(folder) {
  try {
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The folder comes with its owner's pid inside, in one step: a lock without one is nobody's. */
function tryLock(folder) {
  const mine = ownName(folder);
  mkdirSync(mine, { recursive: true });
  writeFileSync(join(mine, 'pid'), String(process.pid));
  try {
    renameSync(mine, folder);
    return true;
  } catch (error) {
    rmSync(mine, { recursive: true });
    if (['ENOTEMPTY', 'EEXIST'].includes(error.code)) return false;
    throw error;
  }
}

/** Of several processes that find a lock whose owner died, one renames it; a new owner's lock, renamed instead, is put back. */
function breakLock(folder) {
  const aside = `${folder}.of-the-dead.${process.pid}`;
  try {
    renameSync(folder, aside);
  } catch {
    return;
  }
  if (isOwned(aside)) renameSync(aside, folder);
  else rmSync(aside, { recursive: true, force: true });
}

/** In one step, like the taking: a folder that is empty for a moment can be taken, and then not be removed. */
function unlock(folder) {
  const mine = ownName(folder);
  try {
    renameSync(folder, mine);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  rmSync(mine, { recursive: true, force: true });
}

/** Waits until no other set-up of this checkout runs; returns what lets the next one run. Not re-entrant. */
export function lock(folder = ownLock) {
  for (let turn = 0; !tryLock(folder); turn += 1) {
    if (turn === 0) say('another set-up of this checkout is running: waiting for it');
    pause(200);
    if (!isOwned(folder)) breakLock(folder);
  }
  return () => unlock(folder);
}

/** Runs `body` while no other set-up of this checkout runs. */
export function withLock(body, folder = ownLock) {
  const release = lock(folder);
  try {
    return body();
  } finally {
    release();
  }
}
