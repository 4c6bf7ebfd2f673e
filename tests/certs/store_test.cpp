#include "certs/store.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
namespace fs = std::filesystem;

namespace {

class place {
public:
    place() {
        auto path = (fs::temp_directory_path() / "bevmesh-store-XXXXXX").string();
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        root = path;
    }
    ~place() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    place(place const&) = delete;
    place& operator=(place const&) = delete;

    fs::path root;
    [[nodiscard]] std::string folder() const { return root / "redis"; }
};

std::vector<stored_file> pair(std::string const& what) {
    return {{"ca.pem", secret("ca " + what), 0644},
            {"key.pem", secret("key " + what), 0600},
            {"cert.pem", secret("cert " + what), 0644}};
}

std::string text(fs::path const& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(fs::path const& path) {
    struct stat is{};
    REQUIRE(::stat(path.c_str(), &is) == 0);
    return is.st_mode & 07777U;
}

ino_t inode_of(fs::path const& path) {
    struct stat is{};
    REQUIRE(::lstat(path.c_str(), &is) == 0);
    return is.st_ino;
}

store made(place const& at, layout how) {
    store s(at.folder(), how, {});
    REQUIRE(s.check_writable().has_value());
    REQUIRE(s.write(1, pair("one")).has_value());
    REQUIRE(s.use(1).has_value());
    return s;
}

}  // namespace

TEST_CASE("a generation is not seen until it is used, and then whole") {
    place at;
    auto const s = made(at, layout::linked);
    fs::path const current = at.folder() + "/current";
    REQUIRE(s.write(2, pair("two")).has_value());
    CHECK(text(current / "cert.pem") == "cert one");
    REQUIRE(s.use(2).has_value());
    CHECK(text(current / "cert.pem") == "cert two");
    CHECK(text(current / "key.pem") == "key two");
    CHECK(mode_of(current / "key.pem") == 0600);
    CHECK(mode_of(current / "cert.pem") == 0644);
    CHECK(mode_of(at.folder()) == 0750);
    REQUIRE(s.use(1).has_value());
    CHECK(text(current / "key.pem") == "key one");
}

TEST_CASE("a generation that is used has its modes, whatever was done to them") {
    for (auto const how : {layout::linked, layout::flat, layout::inplace}) {
        place at;
        auto const s = made(at, how);
        fs::path const used =
            how == layout::linked ? at.folder() + "/current/key.pem" : at.folder() + "/key.pem";
        REQUIRE(::chmod(used.c_str(), 0644) == 0);
        REQUIRE(s.use(1).has_value());
        CHECK(mode_of(used) == 0600);
    }
}

TEST_CASE("two generations are kept for the way back, older ones go") {
    place at;
    auto const s = made(at, layout::linked);
    REQUIRE(s.write(2, pair("two")).has_value());
    REQUIRE(s.write(10, pair("ten")).has_value());
    CHECK(*s.generations() == std::vector<unsigned>{1, 2, 10});
    REQUIRE(s.forget_older(2).has_value());
    CHECK(*s.generations() == std::vector<unsigned>{2, 10});
    auto const files = s.read(2);
    REQUIRE(files.has_value());
    CHECK(files->at(1).name == "key.pem");
    CHECK(files->at(1).mode == 0600);
    CHECK(files->at(1).content.reveal() == "key two");
}

TEST_CASE("files in the folder itself are each renamed into place, or overwritten where they are") {
    for (auto const how : {layout::flat, layout::inplace}) {
        place at;
        auto const s = made(at, how);
        fs::path const cert = at.folder() + "/cert.pem";
        auto const before = inode_of(cert);
        REQUIRE(s.write(2, pair("2")).has_value());
        REQUIRE(s.use(2).has_value());
        // Shorter than what was there.
        CHECK(text(cert) == "cert 2");
        CHECK(text(at.folder() + "/key.pem") == "key 2");
        CHECK(mode_of(at.folder() + "/key.pem") == 0600);
        CHECK((inode_of(cert) == before) == (how == layout::inplace));
        REQUIRE(s.use(1).has_value());
        CHECK(text(cert) == "cert one");
    }
}

TEST_CASE("a generation that was not written whole is not used, and is written again") {
    place at;
    auto const s = made(at, layout::linked);
    REQUIRE(s.write(2, pair("two")).has_value());
    fs::remove(at.folder() + "/.gen-2/.order");
    CHECK(s.use(2).has_error());
    CHECK(text(at.folder() + "/current/cert.pem") == "cert one");
    REQUIRE(s.write(2, pair("again")).has_value());
    REQUIRE(s.use(2).has_value());
    CHECK(text(at.folder() + "/current/cert.pem") == "cert again");
}

TEST_CASE("a folder that cannot be written is found when it is asked for") {
    place at;
    // Not even root makes a folder in a file.
    std::ofstream(at.root / "file").close();
    CHECK(store((at.root / "file" / "redis").string(), layout::linked, {})
              .check_writable()
              .has_error());
    CHECK(store((at.root / "missing" / "redis").string(), layout::linked, {})
              .check_writable()
              .has_error());
    // A folder that is a link to another's.
    fs::create_directory(at.root / "other");
    fs::create_directory_symlink(at.root / "other", at.folder());
    CHECK(store(at.folder(), layout::linked, {}).check_writable().has_error());
}

TEST_CASE("links that somebody put where files are made are not followed") {
    place at;
    auto const victim = at.root / "victim";
    std::ofstream(victim) << "safe";
    auto const s = made(at, layout::flat);
    for (auto const* name : {"cert.pem", "cert.pem.new", ".probe"}) {
        fs::remove(at.folder() + "/" + name);
        fs::create_symlink(victim, at.folder() + "/" + name);
    }
    CHECK(s.check_writable().has_value());
    REQUIRE(s.write(2, pair("two")).has_value());
    CHECK(s.use(2).has_value());
    CHECK(text(victim) == "safe");
    CHECK(text(at.folder() + "/cert.pem") == "cert two");

    place in;
    auto const over = made(in, layout::inplace);
    fs::remove(in.folder() + "/cert.pem");
    fs::create_symlink(victim, in.folder() + "/cert.pem");
    CHECK(over.use(1).has_error());
    CHECK(text(victim) == "safe");
}

TEST_CASE("whoever owns the folder has no file of another's given to him, read or overwritten") {
    place at;
    auto const other = at.root / "other";
    fs::create_directory(other);
    std::ofstream(other / "key.pem") << "theirs";
    fs::permissions(other / "key.pem", fs::perms::owner_read | fs::perms::owner_write);
    auto const how = GENERATE(layout::linked, layout::flat);
    auto const s = made(at, how);
    REQUIRE(s.write(2, pair("two")).has_value());
    fs::path const folder = at.folder();
    auto const generation = folder / ".gen-2";
    SECTION("by a name in the list that leads elsewhere") {
        auto const* const name = GENERATE("x/key.pem", "../../other/key.pem", "..", "");
        fs::create_directory_symlink(other, generation / "x");
        fs::create_directory(folder / "x");
        std::ofstream(generation / ".order") << "0644 " << name << "\n";
        CHECK(s.use(2).has_error());
        CHECK_FALSE(fs::exists(folder / "x/key.pem"));
    }
    SECTION("by a list that is longer than any") {
        std::ofstream list(generation / ".order");
        for (int i = 0; i < 1'000; ++i)
            list << "0600 key.pem\n";
        list.close();
        CHECK(s.use(2).has_error());
    }
    SECTION("by a mode that is more than permissions") {
        std::ofstream(generation / ".order") << "6755 key.pem\n";
        CHECK(s.use(2).has_error());
    }
    SECTION("by a link in place of a generation") {
        fs::remove_all(generation);
        std::ofstream(other / ".order") << "0644 key.pem\n";
        fs::create_directory_symlink(other, generation);
        CHECK(s.use(2).has_error());
        CHECK(s.read(2).has_error());
        REQUIRE(s.write(2, pair("again")).has_value());
        CHECK_FALSE(fs::is_symlink(generation));
    }
    SECTION("by another name of the file") {
        fs::remove(generation / "key.pem");
        fs::create_hard_link(other / "key.pem", generation / "key.pem");
        CHECK(s.use(2).has_error());
        CHECK(s.forget_older(3, 1).has_value());
        CHECK_FALSE(fs::exists(generation));
    }
    SECTION("by what stands in the probe's place when the next generation is written") {
        REQUIRE(s.check_writable().has_value());
        auto const probe = folder / ".probe";
        REQUIRE(fs::remove(probe));
        switch (GENERATE(0, 1, 2, 3)) {
            case 0:
                fs::create_symlink(other / "key.pem", probe);
                break;
            case 1:
                fs::create_hard_link(other / "key.pem", probe);
                break;
            case 2:
                REQUIRE(::mkfifo(probe.c_str(), 0600) == 0);
                break;
            default:
                break;
        }
        REQUIRE(s.write(3, pair("three")).has_value());
        CHECK(s.use(3).has_value());
    }
    CHECK(text(other / "key.pem") == "theirs");
    CHECK(mode_of(other / "key.pem") == 0600);
}

TEST_CASE("a file that was moved into another's directory is not his, and stays the owner's") {
    place at;
    constexpr uid_t user = 12'345;
    ownership of;
    of.user = user;
    store const s(at.folder(), layout::linked, of);
    if (::geteuid() != 0) {
        CHECK(s.check_writable().has_error());
        return;
    }
    REQUIRE(s.check_writable().has_value());
    REQUIRE(s.write(1, pair("one")).has_value());
    auto const moved = at.root / "secret";
    std::ofstream(moved) << "root's";
    fs::permissions(moved, fs::perms::owner_read | fs::perms::owner_write);
    auto const there = at.folder() + "/.gen-1/key.pem";
    fs::rename(moved, there);
    CHECK(s.use(1).has_error());
    struct stat is{};
    REQUIRE(::stat(there.c_str(), &is) == 0);
    CHECK(is.st_uid == 0);
    // What was given to its user, or to the one before him, is.
    REQUIRE(s.write(2, pair("two")).has_value());
    ownership other;
    other.user = user + 1;
    CHECK(store(at.folder(), layout::linked, other).use(2).has_value());
}

TEST_CASE("a folder whose layout changed to `inplace` is written on") {
    place at;
    made(at, layout::linked);
    store const s(at.folder(), layout::inplace, {});
    REQUIRE(s.check_writable().has_value());
    REQUIRE(s.write(2, pair("two")).has_value());
    REQUIRE(s.use(2).has_value());
    CHECK(text(at.folder() + "/cert.pem") == "cert two");
    fs::remove(at.folder() + "/cert.pem");
    fs::create_symlink(at.root / "elsewhere", at.folder() + "/cert.pem");
    CHECK(s.check_writable().has_error());
}

TEST_CASE("what shows that a target can be written takes no room and is no more than a file") {
    place at;
    store const s(at.folder(), layout::linked, {});
    REQUIRE(s.check_writable().has_value());
    CHECK(fs::file_size(at.folder() + "/.probe") == 0);
    REQUIRE(s.check_writable().has_value());
    REQUIRE(s.write(1, pair("one")).has_value());
    CHECK_FALSE(fs::exists(at.folder() + "/.probe"));
    REQUIRE(s.use(1).has_value());
    CHECK(s.read(1)->size() == 3);
}

TEST_CASE("files get the owner that was asked for, or the write fails") {
    place at;
    ownership of;
    of.user = ::geteuid() == 0 ? 12'345 : 0;
    of.group = ::geteuid() == 0 ? 12'346 : 0;
    store const s(at.folder(), layout::linked, of);
    if (::geteuid() != 0) {
        CHECK(s.check_writable().has_error());
        return;
    }
    REQUIRE(s.write(1, pair("one")).has_error());
    REQUIRE(s.check_writable().has_value());
    REQUIRE(s.write(1, pair("one")).has_value());
    REQUIRE(s.use(1).has_value());
    struct stat is{};
    REQUIRE(::stat((at.folder() + "/current/key.pem").c_str(), &is) == 0);
    CHECK(is.st_uid == 12'345);
    CHECK(is.st_gid == 12'346);
    CHECK((is.st_mode & 07777U) == 0600);
}
