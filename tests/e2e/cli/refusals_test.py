"""`mdp doctor` and `mdp run` where the system refuses calls: a seccomp filter, a limit or a sysctl
stands before the kernel, in the child process alone."""
import ctypes
import errno
import json
import os
import platform
import resource
import struct
import subprocess
import tempfile
import unittest

import driver

NUMBERS = {"x86_64": {"setsockopt": 54, "io_uring_setup": 425},
           "aarch64": {"setsockopt": 208, "io_uring_setup": 425}}
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
IPPROTO_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
SYSCTL = "/proc/sys/kernel/io_uring_disabled"


def instruction(code, value, *, then=0, otherwise=0):
    return struct.pack("=HBBI", code, then, otherwise, value)


def program(*, call, error, options=()):
    """BPF that lets `call` fail with `error`; of setsockopt only these options of UDP."""
    load, equal, give = 0x20, 0x15, 0x06
    level_at, option_at = 24, 32  # in seccomp_data, the lower halves
    body = instruction(give, ERRNO | error)
    if options:
        last = len(options) - 1
        chosen = b"".join(instruction(equal, value, then=last - i, otherwise=int(i == last))
                          for i, value in enumerate(options))
        body = instruction(load, option_at) + chosen + body
        body = (instruction(load, level_at) +
                instruction(equal, IPPROTO_UDP, otherwise=len(body) // 8) + body)
    number = NUMBERS[platform.machine()][call]
    return (instruction(load, 0) + instruction(equal, number, otherwise=len(body) // 8) + body +
            instruction(give, ALLOW))


def filtered(**what):
    """A function for the child: from then on the calls fail."""
    code = program(**what)

    def install():
        libc = ctypes.CDLL(None, use_errno=True)
        kept = ctypes.create_string_buffer(code, len(code))
        fprog = struct.pack("@HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
        if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, fprog, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")
    return install


def mdp(*arguments, before=None):
    return subprocess.run([driver.MDP, *arguments], capture_output=True, text=True,
                          timeout=120, preexec_fn=before)


class Refusals(unittest.TestCase):
    def setUp(self):
        if platform.machine() not in NUMBERS:
            self.skipTest("SKIPPED: no table of system calls for " + platform.machine())

    def doctor(self, before):
        result = mdp("doctor", before=before)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def has_ring(self):
        return "transport io_uring" in mdp("doctor").stdout

    def test_doctor_says_why_there_is_no_io_uring(self):
        if not self.has_ring():
            self.skipTest("SKIPPED: the plugin io_uring is not built")
        for error, expected in ((errno.EPERM, "seccomp"), (errno.ENOSYS, "allow io_uring_setup"),
                                (errno.ENOMEM, "ulimit -l")):
            if error == errno.EPERM and os.path.exists(SYSCTL) and open(SYSCTL).read() != "0\n":
                expected = "kernel.io_uring_disabled"
            said = self.doctor(filtered(call="io_uring_setup", error=error))
            self.assertIn("mend  transport io_uring cannot be used", said)
            self.assertIn(expected, said)

    def test_doctor_says_why_there_are_no_trains(self):
        before = filtered(call="setsockopt", error=errno.ENOPROTOOPT,
                          options=(UDP_SEGMENT, UDP_GRO))
        said = self.doctor(before)
        self.assertIn("ok    transport socket", said)
        self.assertIn("mend  transport socket: gso_missing", said)
        self.assertIn("mend  transport socket: gro_missing", said)
        self.assertIn("UDP_SEGMENT", said)
        self.assertNotIn("gso_missing", self.doctor(None))

    def test_little_lockable_memory_is_enough_or_named(self):
        limit = 64 * 1024
        said = self.doctor(lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit)))
        if "transport io_uring" in said:
            self.assertTrue("ok    transport io_uring" in said or "ulimit -l" in said, said)

    def test_doctor_names_the_sysctl(self):
        if not self.has_ring():
            self.skipTest("SKIPPED: the plugin io_uring is not built")
        if not os.access(SYSCTL, os.W_OK):
            self.skipTest(f"SKIPPED: {SYSCTL} cannot be written here")
        with open(SYSCTL) as f:
            before = f.read()
        try:
            with open(SYSCTL, "w") as f:
                f.write("2")
            said = self.doctor(None)
        finally:
            with open(SYSCTL, "w") as f:
                f.write(before)
        self.assertIn("kernel.io_uring_disabled is 2 (set it to 0", said)

    def test_a_run_without_trains_loses_nothing_and_says_so(self):
        before = filtered(call="setsockopt", error=errno.ENOPROTOOPT,
                          options=(UDP_SEGMENT, UDP_GRO))
        with tempfile.TemporaryDirectory() as folder:
            scenario = os.path.join(folder, "first.json")
            self.assertEqual(mdp("init", scenario).returncode, 0)
            out = os.path.join(folder, "out")
            result = mdp("run", scenario, "--set", "run.measure_s=0.3", "--set",
                         "run.warmup_s=0.1", "--set", "run.repetitions=1", "--output", out,
                         before=before)
            self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
            recorded = "".join(open(os.path.join(where, name)).read()
                               for where, _, names in os.walk(out) for name in names
                               if name.endswith((".json", ".jsonl")))
        self.assertIn("gso_missing", recorded)
        self.assertIn("gro_missing", recorded)


if __name__ == "__main__":
    driver.main({"refusals": Refusals})
