"""What `mdp` shows on a terminal, a real pty, and what it leaves out for files and pipes."""
import os
import pty
import subprocess
import tempfile
import unittest

import driver
from driver import in_tree, mdp

ESCAPE = "\x1b"
ERASE = "\r\x1b[K"  # a progress line overwrites the one before it


def environment(**changes):
    kept = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    return {**kept, **changes}


def text_from(master):
    chunks = []
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # Linux says EIO once the last program has closed its end
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks).decode()


def on_terminal(*arguments, stream, env):
    """Exit code and what a terminal got that is one stream, "stdout" or "stderr", of `mdp`."""
    master, terminal = pty.openpty()
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: terminal}
    try:
        with subprocess.Popen([driver.MDP, *arguments], stdin=subprocess.DEVNULL, env=env,
                              **streams) as process:
            os.close(terminal)
            text = text_from(master)
        return process.returncode, text
    finally:
        os.close(master)


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.run_it = ["run", in_tree("scenarios/md1_queue.json"), "--set", "run.measure_s=0.2",
                      "--set", "run.repetitions=1", "--no-report", "--replace",
                      "-o", os.path.join(cls.folder.name, "results")]
        cls.piped = mdp(*cls.run_it, env=environment())

    def table(self, env):
        code, text = on_terminal(*self.run_it, stream="stdout", env=env)
        self.assertEqual(code, self.piped.returncode, text)
        self.assertIn("md1-queue", text)
        return text

    def test_a_terminal_gets_a_table_with_colours(self):
        text = self.table(environment())
        self.assertIn(ESCAPE + "[1m", text)
        self.assertRegex(text, ESCAPE + r"\[3[123]m\w+" + ESCAPE + r"\[0m")

    def test_no_color_takes_the_colours_away_and_nothing_else(self):
        text = self.table(environment(NO_COLOR="1"))
        self.assertNotIn(ESCAPE, text)
        self.assertEqual(text.replace("\r\n", "\n"), self.piped.stdout)

    # no-color.org: present and not an empty string.
    def test_an_empty_no_color_counts_as_unset(self):
        self.assertIn(ESCAPE, self.table(environment(NO_COLOR="")))

    def test_a_pipe_gets_neither_colours_nor_erased_lines(self):
        self.assertIn("md1-queue", self.piped.stdout)
        self.assertIn("(run 1 of 1)\n", self.piped.stderr)
        self.assertNotIn(ESCAPE, self.piped.stdout + self.piped.stderr)
        self.assertNotIn("\r", self.piped.stdout + self.piped.stderr)

    def test_progress_keeps_to_one_line_of_a_terminal_and_leaves_nothing_behind(self):
        _, text = on_terminal(*self.run_it, stream="stderr", env=environment())
        self.assertIn(ERASE + "[1/", text)
        self.assertNotIn("(run 1 of 1)\r\n", text)
        last = text.rindex("(run 1 of 1)")
        self.assertEqual(text[last:].removeprefix("(run 1 of 1)")[:len(ERASE)], ERASE)

    def test_quiet_shows_no_progress_on_a_terminal_either(self):
        _, text = on_terminal(*self.run_it, "--quiet", stream="stderr", env=environment())
        self.assertNotIn("(run 1 of 1)", text)
        self.assertNotIn(ESCAPE, text)


if __name__ == "__main__":
    driver.main({"terminal": Terminal})
