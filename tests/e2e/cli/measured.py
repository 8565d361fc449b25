"""A test case whose runs share a folder."""
import json
import os
import re
import tempfile
import unittest

from driver import in_tree

RESULT = re.compile(r"[0-9a-f]{12}\.json")  # file name of a result: its point's id


class Measured(unittest.TestCase):
    """Runs into a folder that goes with the class, and reads what they wrote."""

    SHORT = ["--set", "run.warmup_s=0.1", "--set", "run.measure_s=0.3", "--set", "run.drain_s=1",
             "--set", "run.repetitions=1"]

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.quick = in_tree("scenarios/quickstart.json")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def out(self, name):
        return os.path.join(self.folder.name, name)

    def results(self, name):
        folder = self.out(name)
        documents = []
        for f in sorted(os.listdir(folder)):
            if RESULT.fullmatch(f):
                with open(os.path.join(folder, f)) as text:
                    documents.append(json.load(text))
        return documents

    def check_result_schema(self, documents):
        try:
            import jsonschema
        except ImportError:
            return
        with open(in_tree("scenarios/mdp-result-1.schema.json")) as f:
            validator = jsonschema.Draft202012Validator(json.load(f))
        for document in documents:
            errors = [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(document)]
            self.assertEqual(errors, [])
