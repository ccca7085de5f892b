import { reachOf } from '../../model/reach.ts';
import type { Scenario } from '../../model/scenario.ts';
import { shellWord } from '../../model/shell-word.ts';
import { mainScript, packageRoot } from '../../os/package-root.ts';

const ownProgram = () => ({ node: process.execPath, script: mainScript(packageRoot()) });

/**
 * A shell script that runs the case in its folder again: with the program that wrote it if that is still there, otherwise
 * with the one in PATH.
 */
export function reproScript(scenario: Scenario, setDirs: readonly string[], program = ownProgram()): string {
  const options = [
    ...setDirs.flatMap((folder) => ['--set', folder]),
    ...(reachOf(scenario).length > 0 ? ['--trust'] : []),
  ];
  const repro = ['repro', ...options.map(shellWord), '"$here"', '"$@"'].join(' ');
  return `#!/bin/sh
# Runs ${scenario.id} again, once its inputs, QEMU and command line are found to be the same.
# What QEMU was started with is in qemu.json.
case $0 in
  /*/*) here=\${0%/*} ;;
  */*) here=./\${0%/*} ;;
  *) here=. ;;
esac
node=${shellWord(program.node)}
netboot=${shellWord(program.script)}
if [ -x "$node" ] && [ -f "$netboot" ]; then
  exec "$node" "$netboot" ${repro}
elif command -v netboot >/dev/null; then
  exec netboot ${repro}
fi
echo "$0: $netboot is gone, and there is no netboot in PATH: install netboot-harness" >&2
exit 3
`;
}
