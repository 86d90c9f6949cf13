"""How a start and its end are shown."""

from wellhead.cli.starting import StartProgress


def test_the_last_line_says_that_it_has_stopped_also_while_kernels_load(capsys):
    with StartProgress() as progress:
        progress("kernels")
        progress("stopping")
        progress("kernels")  # the thread that compiles goes on
        progress("stopped")
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0].split(" (")[0] for line in said] == [
        "loading the matching kernels",
        "stopping",
        "stopped; all data are kept",
    ]


def test_programs_are_told_nothing_between(capsys):
    with StartProgress(as_json=True) as progress:
        progress("kernels")
        progress("stopped")
    assert capsys.readouterr() == ("", "")
