"""What other libraries get wrong in metrics and in methods that are measured: a script shows each.

    python -m benchmarks.peers.defects.quantus_road

A script prints the library's version, what it gives, and what is right and why. It ends with 0 if
the installed version still does it, and with 1 if not; then it goes, and with it its line in
`docs/guide/other_libraries.md`.
"""
