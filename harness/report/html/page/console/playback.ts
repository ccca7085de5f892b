import type { Terminal } from '@xterm/headless';
import type { ConsoleChunk } from '../../report-data.ts';
import { openTerminal } from './terminal.ts';

/** A console played back: the terminal as it stood at any moment, and a clock that moves it on. */
export interface Playback {
  readonly terminal: Terminal;
  readonly playing: boolean;
  readonly tMs: number;
  /** Shows the console as it stood at `tMs`. */
  seek(tMs: number): void;
  play(): void;
  pause(): void;
  /** Times real time. */
  speed: number;
  /** Waits of more than a second pass in one. */
  skipsWaits: boolean;
}

const longestWaitMs = 1_000;

/** `onFrame` is called whenever what is shown may have changed. */
export function openPlayback(chunks: readonly ConsoleChunk[], endMs: number, onFrame: () => void): Playback {
  const terminal = openTerminal();
  /** Chunks written so far. */
  let written = 0;
  let tMs = 0;
  let frame: number | undefined;

  const show = (to: number): void => {
    if (to < tMs) {
      terminal.reset();
      written = 0;
    }
    tMs = Math.min(Math.max(to, 0), endMs);
    let due = '';
    for (; written < chunks.length; written++) {
      const chunk = chunks[written];
      if (!chunk || chunk[0] > tMs) break;
      due += chunk[1];
    }
    terminal.write(due, onFrame);
  };

  const run = (last: number): void => {
    frame = requestAnimationFrame((now) => {
      const next = chunks[written]?.[0] ?? endMs;
      const moved = tMs + (now - last) * playback.speed;
      const wakeMs = next - longestWaitMs;
      show(playback.skipsWaits && moved < wakeMs ? wakeMs : moved);
      if (tMs >= endMs) {
        frame = undefined;
        onFrame();
      } else run(now);
    });
  };

  const playback: Playback = {
    terminal,
    speed: 1,
    skipsWaits: true,
    get playing() {
      return frame !== undefined;
    },
    get tMs() {
      return tMs;
    },
    seek: show,
    play() {
      if (frame !== undefined) return;
      if (tMs >= endMs) show(0);
      run(performance.now());
    },
    pause() {
      if (frame === undefined) return;
      cancelAnimationFrame(frame);
      frame = undefined;
      onFrame();
    },
  };
  return playback;
}
