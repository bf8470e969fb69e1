"""Compares kerascam with other libraries of explanations, Keras's and PyTorch's, in one run.

    python -m benchmarks.peers [--write docs/benchmarks.md] [--quick]

Each library lives in a process of its own, for two reasons: TensorFlow and PyTorch in one process
bring two thread pools that get into each other's way, and a library that leaves something behind
in a model must not touch the next one's. The processes wait at pipes and take turns, one call at a
time, so that noise of the machine meets all of them alike; every one has two threads.

`docs/benchmarks.md` says how to make the environment. None of the others is needed for kerascam.
"""
