"""Drives `mdp relay`: a simulated network in real time between UDP programs."""
import argparse
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

MDP = ""
SOURCE = ""
PROBE = ""
SKIPPED = 77
# Other tests may run at the same time: how late packets are is not what these are about.
LATE = ("--late-us", "1000000")


def udp_socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    s.bind(("127.0.0.1", 0))
    s.settimeout(10)
    return s


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scenario(name):
    return os.path.join(SOURCE, "scenarios", name)


class Relay(unittest.TestCase):
    def start(self, *arguments, port=0, to=None, late=LATE):
        """A relay; stop() ends it."""
        process = subprocess.Popen(
            [MDP, "relay", scenario("lossy_wan.json"), "--listen", f"127.0.0.1:{port}", "--to",
             to or self.target_text(), *late, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        said = process.stderr.readline()
        found = re.match(r"relay: 127.0.0.1:(\d+) -> ", said)
        self.assertTrue(found, said + process.stderr.read() if not found else said)
        self.address = ("127.0.0.1", int(found.group(1)))
        return process

    def stop(self, process, code=0):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, code, out + err)
        return out

    def target_text(self):
        self.target = udp_socket()
        self.addCleanup(self.target.close)
        return "127.0.0.1:%d" % self.target.getsockname()[1]

    def received(self, seconds):
        """Numbers of the datagrams that come within so long after the last."""
        numbers = []
        while select.select([self.target], [], [], seconds)[0]:
            numbers.append(int.from_bytes(self.target.recv(2000)[:4], "big"))
        return numbers


class Network(Relay):
    """The relay is the simulator: its losses, its delay."""

    def test_the_packets_that_the_simulator_loses_are_lost(self):
        relay = self.start("--seed", "42", "--set", "vars.rate=1")
        client = udp_socket()
        self.addCleanup(client.close)
        count = 2000
        for number in range(count):
            client.sendto(number.to_bytes(4, "big") + bytes(200), self.address)
            if number % 20 == 19:
                time.sleep(0.002)
        arrived = self.received(1.0)
        report = self.stop(relay)
        with open(os.path.join(SOURCE, "tests/golden/lossy_wan_seed_42.drops.txt")) as f:
            listed = f.read().split("client-0/up dropped")[1].split(":\n")[1].split("server")[0]
        expected = [n for n in map(int, listed.split()) if n < count]
        self.assertEqual(sorted(set(range(count)) - set(arrived)), expected)
        self.assertEqual(arrived, sorted(arrived))
        self.assertIn(f"client-0/up dropped {len(expected)}:\n", report)
        self.assertIn(f"to the target: {count} came, {count - len(expected)} went on", report)
        self.assertRegex(report, r"late by p50 \d+ µs")

    def test_delay_and_answers_of_several_clients(self):
        relay = self.start("--set", "vars.loss_pct=0")
        clients = [udp_socket() for _ in range(3)]
        for c in clients:
            self.addCleanup(c.close)
        begun = time.monotonic()
        for i, c in enumerate(clients):
            c.sendto(b"ask %d" % i, self.address)
        for _ in clients:
            question, back = self.target.recvfrom(2000)
            self.assertGreaterEqual(time.monotonic() - begun, 0.025)
            self.target.sendto(question.replace(b"ask", b"answer"), back)
        for i, c in enumerate(clients):
            self.assertEqual(c.recvfrom(2000), (b"answer %d" % i, self.address))
        self.assertGreaterEqual(time.monotonic() - begun, 0.05)
        stranger = udp_socket()  # what others send to the relay's ports does not reach a client
        self.addCleanup(stranger.close)
        stranger.sendto(b"intruder", back)
        clients[-1].settimeout(0.3)
        self.assertRaises(TimeoutError, clients[-1].recvfrom, 2000)
        self.assertIn("clients 3\n", self.stop(relay))

    def test_too_large_datagrams_are_the_links_to_drop(self):
        relay = self.start()
        client = udp_socket()
        self.addCleanup(client.close)
        client.sendto(bytes(1473), self.address)
        self.assertEqual(self.received(0.3), [])
        self.assertIn("packets_dropped_mtu 1\n", self.stop(relay))

    def test_a_relay_that_is_late_fails(self):
        relay = self.start("--set", "vars.loss_pct=0", late=("--late-us", "1"))
        client = udp_socket()
        self.addCleanup(client.close)
        for number in range(200):
            client.sendto(number.to_bytes(4, "big"), self.address)
        self.assertEqual(len(self.received(0.5)), 200)
        self.stop(relay, 1)

    def test_mistakes_are_named(self):
        for arguments, expected in (
                (["--to", "nowhere"], "--to: "),
                (["--to", "127.0.0.1:1", "--listen", "x"], "--listen"),
                ([], "--to is required")):
            run = subprocess.run([MDP, "relay", scenario("lossy_wan.json"), *arguments],
                                 capture_output=True, text=True, timeout=30)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn(expected, run.stderr)
        run = subprocess.run([MDP, "relay", scenario("quickstart.json"), "--to", "127.0.0.1:1"],
                             capture_output=True, text=True, timeout=30)
        self.assertIn("simulated network", run.stderr)

    def test_it_ends_by_itself(self):
        relay = self.start("--seconds", "0.3")
        self.assertEqual(relay.wait(timeout=20), 0)
        relay.communicate()


class Programs(Relay):
    """UDP programs of others behind the relay."""

    def program(self, name):
        if shutil.which(name) is None:
            self.skipTest(f"SKIPPED: {name} is not installed")
        return name

    def forward_tcp(self, port, to_port):
        """iperf3 arranges its measurement over TCP at the same port number."""
        listener = socket.create_server(("127.0.0.1", port))
        self.addCleanup(listener.close)

        def copy(a, b):
            try:
                while data := a.recv(65536):
                    b.sendall(data)
                b.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        def accept():
            while True:
                try:
                    one = listener.accept()[0]
                except OSError:
                    return
                other = socket.create_connection(("127.0.0.1", to_port))
                for pair in ((one, other), (other, one)):
                    threading.Thread(target=copy, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def test_iperf3_sees_the_loss(self):
        self.program("iperf3")
        server_port = free_port()
        server = subprocess.Popen(["iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", str(server_port)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: server.poll() is None and server.kill())
        relay = self.start("--set", "vars.loss_pct=5", to=f"127.0.0.1:{server_port}")
        port = self.address[1]
        self.forward_tcp(port, server_port)
        time.sleep(0.5)
        run = subprocess.run(["iperf3", "-u", "-c", "127.0.0.1", "-p", str(port), "-b", "20M", "-l",
                              "1200", "-t", "2", "-J"], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        percent = float(re.findall(r'"lost_percent":\s*([\d.]+)', run.stdout)[-1])
        packets = int(re.findall(r'"packets":\s*(\d+)', run.stdout)[-1])
        report = self.stop(relay)
        self.assertGreater(packets, 1000)
        # 4,000 packets at 5 %: five standard deviations are 1.7 %.
        self.assertTrue(3.3 < percent < 6.7, f"{percent} % lost\n" + report)

    def test_sockperf_sees_the_delay(self):
        self.program("sockperf")
        server_port = free_port()
        server = subprocess.Popen(["sockperf", "server", "-i", "127.0.0.1", "-p", str(server_port)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.kill)
        relay = self.start("--set", "vars.loss_pct=0", to=f"127.0.0.1:{server_port}")
        time.sleep(0.5)
        run = subprocess.run(["sockperf", "ping-pong", "-i", "127.0.0.1", "-p",
                              str(self.address[1]), "-t", "2", "--mps", "20", "--full-rtt"],
                             capture_output=True, text=True, timeout=60)
        report = self.stop(relay)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", run.stdout)
        median = float(re.search(r"percentile 50.000\s*=\s*([\d.]+)", plain).group(1))
        self.assertTrue(50_000 < median < 70_000, plain + report)  # 25 ms each way

    def test_mdp_over_sockets_delivers_every_message_over_a_lossy_relay(self):
        server = subprocess.Popen([PROBE, "serve"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: server.poll() is None and server.kill())
        to = server.stdout.readline().strip()
        relay = self.start("--set", "vars.loss_pct=5", to=to)
        sent = subprocess.run([PROBE, "send", "127.0.0.1:%d" % self.address[1], "500"],
                              capture_output=True, text=True, timeout=100)
        self.assertEqual(sent.stdout, "500 delivered\n", sent.stderr)
        report = self.stop(relay)
        self.assertRegex(report, r"client-0/up dropped \d+")
        server.terminate()
        self.assertEqual(server.communicate(timeout=10)[0], "500 received\n")


GROUPS = {"network": Network, "programs": Programs}


def main():
    global MDP, SOURCE, PROBE
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("--mdp", required=True)
    parser.add_argument("--probe", required=True)
    parser.add_argument("--source", required=True)
    arguments = parser.parse_args()
    MDP, SOURCE, PROBE = arguments.mdp, arguments.source, arguments.probe
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(GROUPS[arguments.group])
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    if not outcome.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if outcome.skipped else 0)


if __name__ == "__main__":
    main()
