// What survives a restart of the daemon, and what keeps a second one out.
#include "mesh/daemon/state.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include "tests/catch.hpp"

using namespace bevmesh;
using daemon::state_directory;
namespace fs = std::filesystem;

namespace {

struct scratch {
    scratch() {
        std::string pattern = (fs::temp_directory_path() / "bevmesh-state-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~scratch() { fs::remove_all(path); }
    scratch(scratch const&) = delete;
    scratch& operator=(scratch const&) = delete;
    fs::path path;
};

unsigned mode_of(fs::path const& path) {
    struct stat s{};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    return s.st_mode & 07777U;
}

}  // namespace

TEST_CASE("wishes for maintenance survive the process") {
    scratch const dir;
    auto const path = (dir.path / "state").string();
    {
        auto const state = state_directory::open(path);
        REQUIRE(state.has_value());
        CHECK(state->maintenance().value().empty());
        REQUIRE(state->keep({{"redis", "upgrade to 7.2"}, {"thanos:db:5432", "\"quoted\"\n"}})
                    .has_value());
    }
    auto const again = state_directory::open(path);
    REQUIRE(again.has_value());
    auto const kept = again->maintenance().value();
    CHECK(kept.at("redis") == "upgrade to 7.2");
    CHECK(kept.at("thanos:db:5432") == "\"quoted\"\n");
}

TEST_CASE("directory and files are closed to others from birth") {
    scratch const dir;
    auto const path = dir.path / "state";
    auto const state = state_directory::open(path.string());
    REQUIRE(state->keep({{"redis", "x"}}).has_value());
    CHECK(mode_of(path) == 0700);
    CHECK(mode_of(path / "maintenance.json") == 0600);
    CHECK(mode_of(path / "lock") == 0600);
    CHECK_FALSE(fs::exists(path / "maintenance.json.new"));
}

TEST_CASE("a second daemon on the same state directory is kept out") {
    scratch const dir;
    auto const first = state_directory::open(dir.path.string());
    REQUIRE(first.has_value());
    auto const second = state_directory::open(dir.path.string());
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == errc::conflict);
    CHECK_THAT(second.error().doing, Catch::Contains("another bevmesh daemon"));
}

TEST_CASE("a damaged file is named and not taken for empty") {
    scratch const dir;
    auto const state = state_directory::open(dir.path.string());
    std::ofstream(dir.path / "maintenance.json") << "{\"redis\": ";
    auto const kept = state->maintenance();
    REQUIRE_FALSE(kept.has_value());
    CHECK_THAT(kept.error().doing, Catch::Contains("maintenance.json"));
}

TEST_CASE("a file that cannot be replaced stays as it was") {
    scratch const dir;
    auto const file = dir.path / "value";
    REQUIRE(daemon::replace_file(file.string(), "old").has_value());
    // A directory stands where the new content would be written first.
    fs::create_directory(dir.path / "value.new");
    CHECK_FALSE(daemon::replace_file(file.string(), "new").has_value());
    std::string content;
    std::ifstream(file) >> content;
    CHECK(content == "old");
}
