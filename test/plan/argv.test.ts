import { describe, expect, it } from 'vitest';
import { planOf, resolved, scenario, uefi } from './found-scenario.ts';

/** An option with its value, if it has one: their order is no matter. */
function groupsOf(argv: readonly string[]): string[] {
  const groups: string[] = [];
  for (const word of argv) {
    if (word.startsWith('-')) groups.push(word);
    else groups.push(`${groups.pop()} ${word}`);
  }
  return groups.sort();
}

const argvOf = (...[over, found]: [Parameters<typeof scenario>[0], Parameters<typeof resolved>[0]?]) =>
  groupsOf(planOf(scenario(over), resolved(found)).qemu.argv);

const common = [
  '-nodefaults',
  '-no-user-config',
  '-no-reboot',
  '-no-shutdown',
  '-display none',
  '-chardev socket,id=qmp,fd=4',
  '-mon chardev=qmp,mode=control',
  '-chardev socket,id=serial,fd=5',
  '-serial chardev:serial',
  '-device virtio-rng-pci',
  '-netdev stream,id=net0,server=off,addr.type=fd,addr.str=3',
  '-netdev user,id=up,net=10.0.2.0/24,host=10.0.2.2,ipv6=off',
  '-netdev stream,id=uplink,server=off,addr.type=fd,addr.str=6',
  '-netdev hubport,id=hub-up,hubid=1,netdev=up',
  '-netdev hubport,id=hub-link,hubid=1,netdev=uplink',
];
const debugPort = [
  '-chardev file,id=debug,path=firmware-debug.log,append=on',
  '-device isa-debugcon,iobase=0x402,chardev=debug',
];
const nic = 'netdev=net0,mac=52:54:00:12:34:56,bootindex=0';

describe("QEMU's command line", () => {
  it('has for SeaBIOS its text console on the serial port, and the ROM that QEMU would load', () => {
    const bios = { ...uefi, interface: 'bios', code: null, vars: null, flat: true } as const;
    const over = { firmware: 'seabios', machine: 'pc', nic: 'e1000', rom: 'bundled', secondStage: 'none' } as const;
    expect(argvOf(over, { firmware: bios, oprom: { kind: 'bundled' }, nbp: undefined, companions: {} })).toEqual(
      [...common, ...debugPort, '-machine pc,graphics=off', '-m 512M', `-device e1000,${nic}`].sort(),
    );
  });

  it('has for a clock that counts instructions -icount, which never sleeps', () => {
    expect(argvOf({ icount: 7 })).toContain('-icount shift=7,sleep=off');
    expect(argvOf({}).join()).not.toContain('-icount');
  });

  it('has for Secure Boot of OVMF system management mode and variables kept from the guest', () => {
    const firmware = { ...uefi, smm: true };
    expect(argvOf({ secureBoot: 'microsoft' }, { firmware })).toEqual(
      [
        ...common,
        ...debugPort,
        '-machine q35,smm=on',
        '-m 512M',
        '-drive if=pflash,unit=0,format=raw,readonly=on,file=/code.fd',
        '-drive if=pflash,unit=1,format=raw,snapshot=on,file=/vars.fd',
        '-global driver=cfi.pflash01,property=secure,value=on',
        '-fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=no',
        '-fw_cfg name=opt/org.tianocore/IPv6Support,string=no',
        `-device virtio-net-pci,${nic},romfile=`,
      ].sort(),
    );
  });

  it('has for an installer more memory, and for HTTP a way out for TCP alone', () => {
    const over = {
      arch: 'aarch64',
      machine: 'virt',
      firmware: 'aavmf',
      payload: 'installer',
      secondStage: 'ipxe',
    } as const;
    expect(argvOf({ ...over, transport: { nbp: 'tftp', config: 'tftp', payload: 'http' } })).toEqual(
      [
        ...common,
        '-machine virt',
        '-m 1024M',
        '-boot menu=on,splash-time=0',
        '-drive if=pflash,unit=0,format=raw,readonly=on,file=/code.fd',
        '-drive if=pflash,unit=1,format=raw,snapshot=on,file=/vars.fd',
        '-fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=no',
        '-fw_cfg name=opt/org.tianocore/IPv6Support,string=no',
        `-device virtio-net-pci,${nic},romfile=`,
      ].sort(),
    );
  });
});

describe('the CPU on Arm, without acceleration', () => {
  const tcg = (wantsRandomSource: boolean, over: Parameters<typeof scenario>[0] = {}) => {
    const firmware = { ...uefi, wantsRandomSource };
    const arm = { arch: 'aarch64', machine: 'virt', firmware: 'aavmf', set: 'mine', secondStage: 'ipxe' } as const;
    return planOf(scenario({ ...arm, ...over }), resolved({ firmware })).qemu.cpu.tcg;
  };

  it('has a random instruction where the firmware at hand wants one, whatever its set is called', () => {
    expect(tcg(true)).toBe('max,pauth=off');
    expect(tcg(false, { set: 'forky' })).toBe('cortex-a57');
    expect(tcg(true, { randomSource: false })).toBe('cortex-a57');
    expect(tcg(true, { cpu: 'cortex-a72' })).toBe('cortex-a72');
  });
});
