"""Each rule of check_tree.py can fail, and what is allowed passes."""

from pathlib import Path

import check_tree
import pytest


def problems(root: Path, path: str, text: str, listing: str = "") -> list[str]:
    """What is wrong with a tree of one file, beside its CMakeLists.txt, which names it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    if file.suffix == ".cc":
        (file.parent / "CMakeLists.txt").write_text(listing or f"credcache_library(x SOURCES {file.name})")
    return check_tree.check_tree(root, [path])


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("service/base/clock.h", "cache/cache.h"),
        ("service/cache/cache.cc", "metrics/metrics.h"),
        ("service/metrics/metrics.cc", "audit/audit.h"),
        ("service/validator/chain.cc", "backends/ldap.h"),
        ("service/validator/chain.cc", "config/config.h"),
        ("service/backends/file.cc", "validator/caching_validator.h"),
        ("service/backends/file.cc", "config/config.h"),
        ("service/rpc/server.cc", "backends/factory.h"),
        ("service/main.cc", "backends/factory.h"),
        ("service/config/config.cc", "app.h"),
        ("service/cache/cache.cc", "credcache/v1/stats.pb.h"),
        ("service/cache/cache.cc", "grpcpp/grpcpp.h"),
        ("service/backends/file.cc", "ldap.h"),
        ("service/backends/ldap_backend.cc", "krb5/krb5.h"),
        ("service/rpc/server.cc", "yaml-cpp/yaml.h"),
        ("service/cache/cache.cc", "prometheus/registry.h"),
        ("service/metrics/metrics.cc", "CivetServer.h"),
        ("service/config/config.cc", "openssl/hmac.h"),
        ("clients/cli/main.cc", "base/clock.h"),
        ("clients/cli/main.cc", "service/base/clock.h"),
    ],
)
def test_a_forbidden_include_is_found(tmp_path: Path, path: str, header: str) -> None:
    found = problems(tmp_path, path, f'#include <string>\n#include "{header}"\n')
    assert len(found) == 1
    assert found[0].startswith(f"{path}:2: ")
    assert header in found[0]


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("service/cache/cache.cc", "base/clock.h"),
        ("service/cache/cache.cc", "cache/digest.h"),
        ("service/validator/chain.cc", "cache/cache.h"),
        ("service/backends/ldap_backend.cc", "ldap.h"),
        ("service/backends/file.cc", "validator/validator.h"),
        ("service/backends/factory.cc", "config/config.h"),
        ("service/rpc/server.cc", "credcache/v1/stats.pb.h"),
        ("service/rpc/server.cc", "validator/validator.h"),
        ("service/app.cc", "backends/factory.h"),
        ("service/main.cc", "app.h"),
        ("clients/cli/main.cc", "credcache/v1/stats.pb.h"),
        ("clients/cli/main.cc", "table.h"),
    ],
)
def test_an_allowed_include_passes(tmp_path: Path, path: str, header: str) -> None:
    assert problems(tmp_path, path, f'#include "{header}"\n') == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("service/cache/CMakeLists.txt", "credcache_library(cache SOURCES a.cc PUBLIC credcache_metrics)"),
        ("service/rpc/CMakeLists.txt", "credcache_library(rpc SOURCES a.cc PRIVATE credcache_backends)"),
        ("clients/cli/CMakeLists.txt", "target_link_libraries(credcachectl PRIVATE credcache_base)"),
    ],
)
def test_a_forbidden_link_is_found(tmp_path: Path, path: str, line: str) -> None:
    assert len(problems(tmp_path, path, line)) == 1


def test_an_allowed_link_passes(tmp_path: Path) -> None:
    line = "credcache_library(validator SOURCES a.cc PUBLIC credcache_cache)  # not credcache_backends"
    assert problems(tmp_path, "service/validator/CMakeLists.txt", line) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("service/cache/cache.cc", "std::mutex mutex_;"),
        ("service/cache/cache.cc", "std::shared_mutex mutex_;"),
        ("clients/cli/main.cc", "} catch (...) {"),
        ("tests/unit/cache/cache_test.cc", "std::this_thread::sleep_for(1ms);"),
        ("tests/unit/cache/cache_test.cc", "absl::SleepFor(absl::Seconds(1));"),
        ("tests/unit/cache/helper.py", "time.sleep(1)"),
    ],
)
def test_a_forbidden_word_is_found(tmp_path: Path, path: str, line: str) -> None:
    assert len(problems(tmp_path, path, line)) == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("service/cache/cache.cc", "// faster than std::mutex"),
        ("service/cache/cache.cc", 'Log("catch (...)");'),
        ("service/cache/cache.cc", "} catch (const YAML::Exception& error) {"),
        ("tests/integration/test_ldap.py", "time.sleep(0.01)"),
    ],
)
def test_a_harmless_word_passes(tmp_path: Path, path: str, line: str) -> None:
    assert problems(tmp_path, path, line) == []


@pytest.mark.parametrize(
    "path", ["protos/credcache/v1/stats.pb.h", "clients/python/stats_pb2.py", "clients/x.so", "tests/__pycache__/a.pyc"]
)
def test_a_generated_file_is_found(tmp_path: Path, path: str) -> None:
    assert "generated" in problems(tmp_path, path, "")[0]


def test_a_new_top_level_name_is_found(tmp_path: Path) -> None:
    assert "top-level" in problems(tmp_path, "scripts/x.sh", "")[0]
    assert problems(tmp_path, ".clang-tidy", "") == []


def test_a_long_file_is_found(tmp_path: Path) -> None:
    assert problems(tmp_path, "service/cache/cache.h", "\n" * 500) == []
    assert "501 lines" in problems(tmp_path, "service/cache/cache.h", "\n" * 501)[0]
    assert problems(tmp_path, "service/docs/architecture.md", "\n" * 501) == []


def test_a_source_that_no_cmake_file_names_is_found(tmp_path: Path) -> None:
    listing = "credcache_library(base SOURCES myclock.cc)"
    assert "not named" in problems(tmp_path, "service/base/clock.cc", "", listing)[0]
