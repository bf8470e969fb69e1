"""Ask exported models as a model server does: in a session, by tensor names.

Run as a script, `ask_in_session.py TASKS ANSWERS`: the first file is a pickled list of (folder,
signature, request), the second takes the list of their answers. The process that runs it cannot
import kerascam.
"""

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path


class Absent:
    """An importer to which kerascam is not installed."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "kerascam":
            raise ImportError(f"{name} is not installed here")


class Served:
    """A SavedModel in a session of its own, as TensorFlow Serving loads it."""

    def __init__(self, folder):
        import tensorflow as tf

        self._tf = tf
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        load = tf.compat.v1.saved_model.loader.load
        self.signatures = load(self._session, ["serve"], str(folder)).signature_def

    def __call__(self, name, **request):
        """Answer a dict of arrays by output name; an input left out has its default."""
        signature = self.signatures[name]
        defaults = {k: self._tf.make_ndarray(v) for k, v in signature.defaults.items()}
        feeds = {signature.inputs[k].name: v for k, v in (defaults | request).items()}
        return self._session.run({k: out.name for k, out in signature.outputs.items()}, feeds)


def ask(tasks):
    """Ask in a fresh process.

    Args:
        tasks: A list of (folder, signature, request); a request holds arrays by input name.

    Returns:
        For each, a dict of arrays by output name, or the text of its error.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "tasks"), Path(folder, "answers")
        asked.write_bytes(pickle.dumps([(str(path), *rest) for path, *rest in tasks]))
        command = [sys.executable, "-I", __file__, str(asked), str(answered)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return pickle.loads(answered.read_bytes())


def _main(tasks_path, answers_path):
    sys.meta_path.insert(0, Absent())
    answers, models = [], {}
    for path, name, request in pickle.loads(Path(tasks_path).read_bytes()):
        if path not in models:
            models[path] = Served(path)
        answers.append(models[path](name, **request))
    if "kerascam" in sys.modules:
        raise RuntimeError("kerascam was imported, so this proves nothing")
    Path(answers_path).write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    _main(*sys.argv[1:])
