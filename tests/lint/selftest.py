"""Proves that every lint can fail: each gets a small tree with one fault, and one without."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
CLEAN = {
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n",
    "framework/src/engine/CMakeLists.txt": "mdp_component(engine SOURCES a.cpp a.hpp)\n",
    "framework/src/engine/a.hpp": "#pragma once\n#include \"mdp/base/time.hpp\"\n",
    "framework/src/engine/a.cpp": "#include \"a.hpp\"\n",
}


def run_lint(name, files, mode_of=None):
    """Exit status and output of one lint on a tree with these files."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.chmod(full, (mode_of or {}).get(path, 0o644))
        run = subprocess.run([sys.executable, f"{HERE}/check_{name}.py", "--root", root],
                             capture_output=True, text=True, check=False)
        return run.returncode, run.stdout + run.stderr


class lints(unittest.TestCase):
    def clean(self, name, extra=None, **more):
        status, output = run_lint(name, {**CLEAN, **(extra or {})}, **more)
        self.assertEqual(status, 0, output)

    def faulty(self, name, extra, expected, **more):
        status, output = run_lint(name, {**CLEAN, **extra}, **more)
        self.assertEqual(status, 1, output)
        self.assertIn(expected, output)

    def faulty_engine(self, line, expected):
        self.faulty("layers", {"framework/src/engine/a.cpp": line + "\n"}, expected)

    def test_layers(self):
        self.clean("layers")
        self.faulty_engine('#include "mdp/transport/transport.hpp"', "may not include transport")
        self.faulty_engine("#include <thread>", "pure")
        self.faulty_engine("#  include <sys/socket.h>", "pure")
        self.faulty_engine("auto t = std::chrono::steady_clock::now();", "may not read a clock")
        self.faulty_engine("#include <nlohmann/json.hpp>", "may only be included below")

    def test_layers_of_transports(self):
        self.clean("layers", {"transports/x/x.cpp": '#include "transports/common/c.hpp"\n'})
        self.faulty("layers", {"transports/x/x.cpp": '#include "engine/endpoint.hpp"\n'},
                    "transports may not include engine")
        self.faulty("layers", {"transports/x/x.cpp": '#include "transports/y/y.hpp"\n'},
                    "share through common")
        self.faulty("layers", {"netsim/n.cpp": '#include "mdp/wire/packet.hpp"\n'},
                    "netsim may not include wire")
        self.faulty("layers", {"netsim/n.cpp": "#include <boost/dll.hpp>\n"},
                    "may only be included below framework/src/plugin/")
        self.faulty("layers", {"framework/src/odd/a.cpp": "\n"}, "no known component")

    def test_sources(self):
        self.clean("sources")
        self.faulty("sources", {"framework/src/engine/b.cpp": "\n"}, "b.cpp:1: no CMakeLists.txt")
        self.faulty("sources", {"tests/unit/a.cpp": "\n"}, "tests/unit/a.cpp:1")
        self.clean("sources", {"tests/unit/CMakeLists.txt": "f(${name}_test.cpp)\n",
                               "tests/unit/x_test.cpp": "\n"})
        self.faulty("sources", {"tests/unit/CMakeLists.txt": "# a_test.cpp\n",
                                "tests/unit/a_test.cpp": "\n"}, "a_test.cpp:1")

    def test_sizes(self):
        self.clean("sizes", {"framework/src/engine/a.cpp": "int a;\n" * 800})
        self.faulty("sizes", {"framework/src/engine/a.cpp": "int a;\n" * 801}, "801 lines")
        self.faulty("sizes", {"framework/src/engine/a.hpp": "int a;\n" * 301}, "301 lines")
        self.faulty("sizes", {"framework/src/engine/a.cpp": "/" * 101 + "\n"}, "101 columns")
        self.faulty("sizes", {"dev": "#!/bin/bash\n"}, "not executable")
        self.clean("sizes", {"dev": "#!/bin/bash\n"}, mode_of={"dev": 0o755})

    def test_words(self):
        self.clean("words", {"README.md": "see build/release, $HOME/x and docs/home/x\n"})
        for word in ("TODO", "FIXME", "XXX", "HACK", "not implemented", "Placeholder"):
            self.faulty("words", {"README.md": f"a {word} b\n"}, "README.md:1")
        self.faulty("words", {"a.json": '{"p": "/home/me/x"}\n'}, "a path of one machine")

    def test_docs(self):
        self.clean("docs", {"README.md": "# A b\n[x](docs/y.md#c-d) [z](#a-b)\n",
                            "docs/y.md": "# C d\n"})
        self.faulty("docs", {"README.md": "[x](docs/missing.md)\n"}, "broken link")
        self.faulty("docs", {"README.md": "[x](#nowhere)\n"}, "no heading")
        self.faulty("docs", {"CHANGELOG.md": "# Changelog\n"}, "Unreleased")

    def test_rules(self):
        rules = {"docs/protocol.md": "**[R-ACK-1]** Acks are ranges.\n"}
        self.clean("docs", {**rules, "tests/unit/a.cpp": "// R-ACK-1\n"})
        self.faulty("docs", rules, "no test cites R-ACK-1")
        self.faulty("docs", {**rules, "tests/unit/a.cpp": "// R-ACK-1 R-ACK-2\n"},
                    "cites R-ACK-2, which")

    def test_format(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        source = "framework/src/engine/a.cpp"
        status, output = run_lint("format", {**CLEAN, **style, source: "int  a ;\n"})
        if status == 77:
            self.skipTest(output.strip())
        self.assertEqual(status, 1, output)
        self.assertIn("a.cpp:1", output)
        self.clean("format", style)


SUITE = """<testsuite>
<testcase name="good" status="run"/>
<testcase name="bad" status="fail"><failure message="Failed"/></testcase>
<testcase name="gone" status="notrun"><skipped message="Unable to find executable"/></testcase>
<testcase name="odd" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out>SKIPPED: no browser</system-out></testcase>
</testsuite>"""


class summary(unittest.TestCase):
    """The closing line of `./dev test`."""

    def summarise(self, text, *options):
        script = os.path.join(HERE, "..", "..", "tools", "ctest_summary.py")
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as report:
            report.write(text)
            report.flush()
            run = subprocess.run([sys.executable, script, *options, report.name],
                                 capture_output=True, text=True, check=False)
        return run.returncode, run.stdout

    def test_counts_and_reasons(self):
        status, output = self.summarise(SUITE)
        self.assertEqual(status, 1)
        self.assertEqual(output.splitlines()[-1], "1 passed, 2 failed, 1 skipped")
        self.assertIn("skipped, no browser: odd", output)

    def test_good_run(self):
        status, output = self.summarise('<t><testcase name="a" status="run"/></t>')
        self.assertEqual((status, output.splitlines()[-1]), (0, "1 passed, 0 failed"))

    def test_nothing_ran_or_ctest_failed(self):
        self.assertEqual(self.summarise("<t/>")[0], 1)
        self.assertEqual(self.summarise('<t><testcase name="a" status="run"/></t>',
                                        "--ctest-status", "1")[0], 1)


if __name__ == "__main__":
    unittest.main()
