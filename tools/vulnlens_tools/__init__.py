"""Shared by the scripts of `tools/` and `benches/`: data, processes, the machine, and fixtures.

Scripts in `tools/` find this package beside them. For those in `benches/`, run Python with `PYTHONPATH=tools`, or install
the package once: `pip install -e tools`.
"""
