import { Terminal } from '@xterm/headless';
import { screenSize } from '../../../../model/console-screen.ts';

const scrollback = 20_000;

/** A terminal such as the harness judges by; what a guest sends wrongly is no matter for the browser's own console. */
export const openTerminal = (): Terminal =>
  new Terminal({ ...screenSize, scrollback, allowProposedApi: true, logLevel: 'off' });
