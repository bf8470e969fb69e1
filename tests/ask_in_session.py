"""Ask exported models as a model server does: in a session, by tensor names.

Run as a script, `ask_in_session.py TASKS ANSWERS`: the first file is a pickled list of (folder,
signature, request), the second takes the list of their answers. The process that runs it cannot
import kerascam.
"""

import os
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
    """A SavedModel in a session of its own, as TensorFlow Serving loads it and asks it.

    Requests go to the session unchecked: Python's `session.run` refuses arrays that do not fit the
    declared shapes, and a server's session does not.
    """

    def __init__(self, folder):
        import tensorflow as tf

        self.folder = Path(folder)
        self._tf = tf
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        load = tf.compat.v1.saved_model.loader.load
        self.signatures = load(self._session, ["serve"], str(folder)).signature_def
        self._session._extend_graph()  # as `session.run` begins

    def __call__(self, name, **request):
        """Answer a dict of arrays by output name; an input left out has its default."""
        signature = self.signatures[name]
        defaults = {k: self._tf.make_ndarray(v) for k, v in signature.defaults.items()}
        feeds = {self._find(signature.inputs[k]): v for k, v in (defaults | request).items()}
        outputs = [self._find(info) for info in signature.outputs.values()]
        answers = self._session._call_tf_sessionrun(None, feeds, outputs, [], None)
        return dict(zip(signature.outputs, answers, strict=True))

    def _find(self, info):
        return self._session.graph.get_tensor_by_name(info.name)._as_tf_output()


def exported(explainer, path, **arguments):
    """Export without the trial in a session, for tests that ask in one of their own."""
    import pytest

    from kerascam import export

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerascam.exporting.saved_model.run_in_session", lambda *_: None)
        return export(explainer, path, **arguments)


def ask(tasks, **environment):
    """Ask in a fresh process.

    Args:
        tasks: A list of (folder, signature, request); a request holds arrays by input name.
        environment: Variables for that process.

    Returns:
        For each, a dict of arrays by output name, or the text of its error.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "tasks"), Path(folder, "answers")
        asked.write_bytes(pickle.dumps([(str(path), *rest) for path, *rest in tasks]))
        command = [sys.executable, "-I", __file__, str(asked), str(answered)]
        variables = os.environ | environment
        done = subprocess.run(command, capture_output=True, text=True, env=variables)
        if done.returncode:
            raise RuntimeError(f"ended with {done.returncode}: {done.stderr}")
        return pickle.loads(answered.read_bytes())


def _answer(served, name, request):
    import tensorflow as tf

    try:
        return served(name, **request)
    except tf.errors.OpError as error:
        return f"{type(error).__name__}: {error}"


def _main(tasks_path, answers_path):
    sys.meta_path.insert(0, Absent())
    answers, models = [], {}
    for path, name, request in pickle.loads(Path(tasks_path).read_bytes()):
        if path not in models:
            models[path] = Served(path)
        answers.append(_answer(models[path], name, request))
    if "kerascam" in sys.modules:
        raise RuntimeError("kerascam was imported, so this proves nothing")
    Path(answers_path).write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    _main(*sys.argv[1:])
