// Files written and taken back, wherever it was interrupted: byte for byte.
#include "registrar/dns/journal.hpp"

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registrar/dns/command.hpp"
#include "registrar/dns/files.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar::dns;

namespace {

struct folder {
    folder() {
        std::string name = "/tmp/bevmesh-journal-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string in(std::string const& name) const { return path + "/" + name; }
    void write(std::string const& name, std::string const& text, unsigned mode) const {
        std::ofstream(in(name)) << text;
        REQUIRE(::chmod(in(name).c_str(), mode) == 0);
    }
    [[nodiscard]] std::string text(std::string const& name) const {
        return read_text(in(name)).value().value_or("(nothing)");
    }
    std::string path;
};

written_file replacing(folder const& f) {
    written_file w;
    w.file.path = f.in("conf");
    w.file.content = "ours\n";
    w.file.replaces = true;
    w.kept = f.in("conf.before-bevmesh");
    return w;
}

unsigned mode_of(std::string const& path) {
    struct stat info{};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    return info.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a file of ours goes with the folders that were made for it") {
    folder const f;
    written_file w;
    w.file.path = f.in("a/b/conf");
    w.file.content = "ours\n";
    w.folders = missing_folders(w.file.path);
    CHECK(w.folders == std::vector<std::string>{f.in("a"), f.in("a/b")});
    REQUIRE(install(w).has_value());
    CHECK(mode_of(w.file.path) == 0644);
    CHECK(is_as_written(w));
    REQUIRE(restore(w).has_value());
    CHECK(std::filesystem::is_empty(f.path));
    CHECK(restore(w).has_value());
}

TEST_CASE("a file that is replaced comes back with its mode, a link as a link") {
    folder const f;
    f.write("conf", "theirs\n", 0640);
    auto const w = replacing(f);
    REQUIRE(install(w).has_value());
    CHECK(f.text("conf") == "ours\n");
    REQUIRE(restore(w).has_value());
    CHECK(f.text("conf") == "theirs\n");
    CHECK(mode_of(w.file.path) == 0640);
    CHECK_FALSE(std::filesystem::exists(w.kept));

    std::filesystem::remove(w.file.path);
    std::filesystem::create_symlink("../nowhere", w.file.path);
    REQUIRE(install(w).has_value());
    CHECK(f.text("conf") == "ours\n");
    REQUIRE(restore(w).has_value());
    CHECK(std::filesystem::read_symlink(w.file.path) == "../nowhere");
}

TEST_CASE("it can be taken back from wherever the writing stopped") {
    folder const f;
    f.write("conf", "theirs\n", 0600);
    auto const w = replacing(f);
    SECTION("before anything") {}
    SECTION("the former one is kept") {
        REQUIRE(keep_beside(w.file.path, w.kept).has_value());
    }
    SECTION("the new one is half written") {
        REQUIRE(keep_beside(w.file.path, w.kept).has_value());
        f.write(".bevmesh-conf.new", "ou", 0644);
    }
    SECTION("all is written") {
        REQUIRE(install(w).has_value());
    }
    SECTION("ours is gone") {
        REQUIRE(install(w).has_value());
        std::filesystem::remove(w.file.path);
    }
    REQUIRE(restore(w).has_value());
    CHECK(f.text("conf") == "theirs\n");
    CHECK(std::distance(std::filesystem::directory_iterator(f.path), {}) == 1);
    CHECK(restore(w).has_value());
    CHECK(f.text("conf") == "theirs\n");
}

TEST_CASE("what somebody else wrote since is left alone") {
    folder const f;
    f.write("conf", "theirs\n", 0644);
    auto const w = replacing(f);
    REQUIRE(install(w).has_value());
    f.write("conf", "a third\n", 0644);
    CHECK(restore(w).error().code == errc::conflict);
    CHECK(f.text("conf") == "a third\n");
    CHECK(f.text("conf.before-bevmesh") == "theirs\n");
}

TEST_CASE("the journal comes back as it was, for one at a time, and from nobody else") {
    folder const f;
    auto const state = f.in("state");
    {
        auto const store = journal_store::open(state);
        REQUIRE(store.has_value());
        CHECK(journal_store::open(state).error().code == errc::conflict);
        journal j;
        j.needs = {false, true};
        j.files = {replacing(f)};
        j.restart = {"systemctl", "restart", "x"};
        j.forward = {"/usr/sbin/dnsmasq", "/etc/x", "/run/x", {"172.17.0.1"}};
        REQUIRE(store->save(j).has_value());
        auto const back = read_journal(state);
        REQUIRE(back.has_value());
        REQUIRE(back->has_value());
        CHECK_FALSE((*back)->complete);
        CHECK((*back)->files == j.files);
        CHECK((*back)->needs == j.needs);
        CHECK((*back)->restart == j.restart);
        CHECK((*back)->forward == j.forward);
        CHECK(mode_of(state + "/dns/journal.json") == 0600);
    }
    REQUIRE(::chmod((state + "/dns").c_str(), 0777) == 0);
    CHECK(read_journal(state).error().code == errc::forbidden);
    CHECK(journal_store::open(state).error().code == errc::forbidden);
}

TEST_CASE("files of ours are known by their mark where the journal is lost") {
    folder const f;
    f.write("a", "# " + std::string(marker) + " takes it away.\nx\n", 0644);
    f.write("b", "# somebody's\n", 0644);
    auto const found = find_marked({f.in("a"), f.in("b"), f.in("c")});
    REQUIRE(found.has_value());
    REQUIRE(found->files.size() == 1);
    CHECK(found->files[0].file.path == f.in("a"));
    CHECK_FALSE(find_marked({f.in("b")}).has_value());
}

TEST_CASE("a command's output and end are told, and one that does not end is killed") {
    auto const done =
        run_command({"sh", "-c", "echo out; echo err >&2; exit 3"}, milliseconds(10'000));
    REQUIRE(done.has_value());
    CHECK(done->status == 3);
    CHECK(done->out == "out\n");
    CHECK(done->err == "err\n");
    CHECK(run_command({"sleep", "60"}, milliseconds(50)).error().code == errc::timed_out);
    CHECK(run_command({"/no/such/program"}, milliseconds(50)).error().code == errc::local_error);
    // What stays behind with our pipe open is not waited for.
    CHECK(run_command({"sh", "-c", "sleep 3 & echo started"}, milliseconds(10'000))->out ==
          "started\n");
    CHECK(
        must_run({"false"}, milliseconds(10'000)).error().doing.starts_with("false: exit code 1"));
}
