/**
 * What QEMU prints when KVM or hvf fails, each from the beginning of a message: accel/kvm/kvm-all.c, accel/hvf/hvf-all.c,
 * target/i386/kvm/kvm.c and system/vl.c of QEMU 4.2 to 10.1. Matching "kvm" anywhere would not do: QEMU also quotes its
 * options, and a path may well contain it.
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

/** error_report() prefixes the program's name and the option at fault, here none or -accel. */
const prefix = /^(?:[^\s:]*qemu-system-\w+: )?(?:-(?:accel|machine|enable-kvm)[^:]*: )?/;

/** The first line in which QEMU reports an accelerator failure, if any. */
export function acceleratorComplaint(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .map((line) => line.trim().replace(prefix, ''))
    .find((line) => messages.some((message) => message.test(line)));
}

/** QEMU gives a transient errno(3) as the reason, which says nothing about the request itself. */
export function isPassing(complaint: string): boolean {
  return /[: ](Cannot allocate memory|Resource temporarily unavailable|Too many open files|Device or resource busy)$/.test(
    complaint,
  );
}
