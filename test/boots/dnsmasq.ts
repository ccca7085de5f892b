import { execa } from 'execa';

/** dnsmasq as a server of the user's: DHCP and TFTP for a guest that boots a script; `more` lines of its configuration. */
export const dnsmasqWith = (...more: string[]) => ({
  command: ['dnsmasq', '--conf-file={{dir}}/dnsmasq.conf', '--no-daemon', '--user=root'],
  files: {
    'dnsmasq.conf': {
      text: [
        'port=0',
        'interface={{interface}}',
        'bind-interfaces',
        'no-ping',
        'dhcp-leasefile={{dir}}/leases',
        'dhcp-range=10.0.2.100,10.0.2.200,255.255.255.0',
        'enable-tftp',
        'tftp-root={{tree}}',
        'dhcp-boot={{script}}',
        ...more,
      ].join('\n'),
    },
  },
  serves: ['dhcp', 'tftp'],
});

/** Programs of the servers of a folder's runs: each has its name in the command line. */
export const programsLeftIn = async (folder: string): Promise<string> =>
  (await execa('ps', ['-eo', 'args'])).stdout
    .split('\n')
    .filter((line) => line.includes(folder))
    .join('\n');
