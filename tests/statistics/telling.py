import sys


def tell(capsys, words):
    """Print a figure that a test found, also where all tests pass."""
    with capsys.disabled():
        sys.stdout.write(f"\n{words}\n")
