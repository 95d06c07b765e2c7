"""Configuration: read strictly, written as it is read, and never another party's."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.web.config import (
    CONFIG_FILE,
    C,
    CustodianConfig,
    ServerConfig,
    WitnessConfig,
    read_config,
    write_config,
)
from understudy.web.errors import ConfigError, HomeError


@pytest.mark.parametrize(
    "config",
    [
        ServerConfig(port=1, custodians={"a": "https://a.example"}, witnesses={"b/c": "http://127.0.0.1:2"}),
        CustodianConfig(name="first", epoch=3, server="https://s.example", allow_plain=True),
        WitnessConfig(name="example.org/w", host="::1", certificate="/c.pem", certificate_key="/k.pem"),
    ],
    ids=["server", "custodian", "witness"],
)
def test_what_is_written_is_read_back(tmp_path: Path, config: C) -> None:
    write_config(tmp_path, config)
    assert read_config(tmp_path, type(config)) == config


@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40),
    path=st.from_regex(r"[^\"\\\x00-\x1f\x7f]{0,40}", fullmatch=True),
)
def test_any_text_survives_the_file(tmp_path_factory: pytest.TempPathFactory, name: str, path: str) -> None:
    home = tmp_path_factory.mktemp("home")
    config = WitnessConfig(name=name, trust_file=path)
    write_config(home, config)
    assert read_config(home, WitnessConfig) == config


def test_a_home_of_another_party_is_refused(tmp_path: Path) -> None:
    write_config(tmp_path, WitnessConfig())
    with pytest.raises(HomeError, match="witness"):
        read_config(tmp_path, CustodianConfig)


def test_an_empty_folder_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(HomeError) as refused:
        read_config(tmp_path, ServerConfig)
    assert "init" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        'party = "witness"\nprot = 1\n',
        'party = "witness"\nport = "1"\n',
        'party = "witness"\nport = 70000\n',
        'party = "witness"\nname = ""\n',
        "not toml",
    ],
)
def test_a_field_that_is_misspelt_or_out_of_bounds_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / CONFIG_FILE).write_text(text)
    with pytest.raises(ConfigError):
        read_config(tmp_path, WitnessConfig)


@pytest.mark.parametrize("address", ["ftp://x", "x", "http://a b", 'http://a"b'])
def test_an_address_in_the_configuration_is_checked(tmp_path: Path, address: str) -> None:
    write_config(tmp_path, CustodianConfig(server=address))
    with pytest.raises(ConfigError):
        read_config(tmp_path, CustodianConfig)
