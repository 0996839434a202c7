"""What is compared of two trees that were measured in turn."""

from bench.against import Row, rows_of


def test_only_figures_of_one_round_are_divided_and_of_what_both_trees_have() -> None:
    key, gone = ("one a request", "intake"), ("one a request", "watcher")
    slow, fast = ({key: 900.0, gone: 9.0}, {key: 600.0}), ({key: 450.0}, {key: 500.0})

    assert list(rows_of([slow, fast])) == [Row(*key, 675.0, 550.0, [1.5, 0.9])]
