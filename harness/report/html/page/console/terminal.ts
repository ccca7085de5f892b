import { Terminal } from '@xterm/headless';
import { screenSize } from '../../../../model/console-screen.ts';

const scrollback = 20_000;

/** Control sequences that do something as often as they say: ECMA-48 ICH, IL, DL, DCH, SU, SD, ECH, CHT, CBT, REP. */
const repeated = [...'@LMPSTXIZb'];
const mostRepeats = screenSize.cols * screenSize.rows;

/** DEC private modes for a second screen, which would hide the first. */
const secondScreen = [47, 1047, 1049];

/**
 * A terminal as large as the one that consoles are judged by, with colours. What a guest sends may neither stall the page
 * nor appear on the browser's own console.
 */
export function openTerminal(): Terminal {
  const terminal = new Terminal({ ...screenSize, scrollback, allowProposedApi: true, logLevel: 'off' });
  const count = (parameters: (number | number[])[]): number => [parameters[0] ?? 1].flat()[0] ?? 1;
  // A handler that returns true has consumed the sequence.
  for (const final of repeated) {
    terminal.parser.registerCsiHandler({ final }, (parameters) => count(parameters) > mostRepeats);
  }
  for (const final of ['h', 'l']) {
    terminal.parser.registerCsiHandler({ prefix: '?', final }, (parameters) =>
      secondScreen.includes(count(parameters)),
    );
  }
  return terminal;
}
