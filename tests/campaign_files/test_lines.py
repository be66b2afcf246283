"""On which line each key of a TOML file stands."""

import tomllib

from dispatcher.campaign_files.lines import key_lines, line_of

WINDING = '''\
# [not.a.table]
title = "a # b" # c
text = """
[fake]
fake = 1 ""\\"""" # and a last quotation mark inside

'single \\' = 1
"quoted.key" . 'x y'.z = { a = 1, "b c" = [ { d = 1 }, # ] }
  2 ], e . f = {} } # inline
list = [
  "]", # [
  \'\'\'
]
\'\'\',
  [ 1,
    2 ]
]
[ table . "sub table" ]
k = 1979-05-27 07:32:00
"ke\\u0079" = 1
[[many]]
x = 1
[[many]]
y = \'\'\'a\'\'\'
'''


def test_every_way_to_write_a_key_is_found_on_its_line() -> None:
    """Strings of four kinds, comments, dotted and quoted keys, lists and inline tables over several lines."""
    lines = key_lines(WINDING)
    assert tomllib.loads(WINDING)
    assert {
        ("title",): 2,
        ("text",): 3,
        ("single \\",): 7,
        ("quoted.key",): 8,
        ("quoted.key", "x y"): 8,
        ("quoted.key", "x y", "z"): 8,
        ("quoted.key", "x y", "z", "a"): 8,
        ("quoted.key", "x y", "z", "b c"): 8,
        ("quoted.key", "x y", "z", "e"): 9,
        ("list",): 10,
        ("list", 0): 11,
        ("list", 1): 12,
        ("list", 2): 15,
        ("list", 2, 0): 15,
        ("list", 2, 1): 16,
        ("table",): 18,
        ("table", "sub table"): 18,
        ("table", "sub table", "k"): 19,
        ("table", "sub table", "key"): 20,
        ("many",): 21,
        ("many", "x"): 22,
        ("many", "y"): 24,
    } == dict(lines)


def test_what_is_not_written_is_found_by_what_holds_it() -> None:
    """A missing key is reported at its table, and at the top where there is none."""
    lines: dict[tuple[str | int, ...], int] = {("a",): 3, ("a", "b"): 5}
    assert [5, 3, 1] == [line_of(path, lines) for path in (("a", "b", "c"), ("a", "x"), ("z",))]
