/**
 * What QEMU prints when KVM or hvf fails, each from the beginning of a message: accel/kvm/kvm-all.c, accel/hvf/hvf-all.c,
 * target/i386/kvm/kvm.c and system/vl.c of QEMU 4.2 to 10.1. Only these are the accelerator's: QEMU also quotes the
 * options it was given, and a path may well contain "kvm".
 */
const messages: readonly RegExp[] = [
  /^Could not access KVM kernel module: /,
  /^failed to initialize (kvm|KVM|hvf|HVF): /,
  /^invalid accelerator (kvm|hvf)$/,
  /^kvm version (too old|not supported)$/,
  /^ioctl\(KVM_\w+\) failed: /,
  /^kvm_\w+: kvm_\w+ failed \(\d+\): /,
  /^kvm_init_vcpu failed: /,
  /^error: kvm run failed /,
  /^KVM internal error\. Suberror: \d+$/,
  /^error: failed to [gs]et MSR 0x[0-9a-f]+( to 0x[0-9a-f]+)?$/,
  /^\S+\/kvm\.c:\d+: kvm_\w+: Assertion `.*' failed\.$/,
  /^Error: .+ = HV_[A-Z_]+ \(0x[0-9a-f]+, at \S+:\d+\)$/,
];

/** error_report() puts the program's name first, and the option at fault, which for these is none or -accel itself. */
const prefix = /^(?:[^\s:]*qemu-system-\w+: )?(?:-(?:accel|machine|enable-kvm)[^:]*: )?/;

/** The first line by which QEMU says that its accelerator failed, if there is one. */
export function acceleratorComplaint(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .map((line) => line.trim().replace(prefix, ''))
    .find((line) => messages.some((message) => message.test(line)));
}

/** QEMU gives errno(3) as the reason, and that of something which comes and goes: it says nothing of what was asked for. */
export function isPassing(complaint: string): boolean {
  return /[: ](Cannot allocate memory|Resource temporarily unavailable|Too many open files|Device or resource busy)$/.test(
    complaint,
  );
}
