"""A file is there whole or not at all."""

import os
import stat

import pytest

from lowrankflow.whole_file import whole_file, write_whole


def test_what_is_written_is_there(tmp_path):
    path = tmp_path / "a.bin"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_it_has_the_permissions_of_any_new_file(tmp_path):
    write_whole(tmp_path / "a.bin", b"x")
    (tmp_path / "b.bin").write_bytes(b"x")
    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("a.bin", "b.bin")]
    assert modes[0] == modes[1]


def test_a_folder_in_the_way_leaves_nothing_behind(tmp_path):
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(OSError, match="a.bin"):
        write_whole(tmp_path / "a.bin", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a.bin", b"x")


def test_pieces_that_end_in_an_error_leave_what_was_there(tmp_path):
    path = tmp_path / "a.bin"
    with whole_file(path) as file:
        file.write(b"one, ")
        file.write(b"two")
    with pytest.raises(TypeError, match="bytes"), whole_file(path) as file:
        file.writelines([b"three", 4])
    assert path.read_bytes() == b"one, two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]
