// What systemd says of a unit, decoded: as systemd 252 of Debian 12 printed it. What the housing
// does is tested under a real systemd, in tests/systemd.
#include "failover/driver/unit.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "failover/driver/postgres_files.hpp"
#include "failover/driver/unit_state.hpp"
#include "tests/catch.hpp"

namespace bevmesh::failover {
namespace {

namespace fs = std::filesystem;
using words = std::vector<std::string>;

/// `systemctl show` of this unit.
std::string recorded(std::string const& name) {
    std::ifstream file(std::string(BEVMESH_RECORDED "/systemd-252/") + name + ".txt");
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
}

unit_state read(std::string const& name) {
    return read_unit_state(recorded(name)).value();
}

}  // namespace

TEST_CASE("a running unit: its process, its control group, and what it is started with") {
    auto const s = read("redis-server");
    CHECK(s.id == "redis-server.service");
    CHECK(s.exists());
    CHECK_FALSE(s.at_rest());
    CHECK(s.main_pid == 598);
    CHECK(s.main_started_us == 1396547730);
    CHECK(s.control_group == "/host/system.slice/redis-server.service");
    CHECK(s.user == "redis");
    CHECK(s.restarted_by.empty());
    CHECK(s.argv == words{"/usr/bin/redis-server", "/etc/redis/redis.conf", "--supervised",
                          "systemd", "--daemonize", "no"});
    CHECK_FALSE(s.has_job);
    auto const starting = read("redis-server-starting");
    CHECK(starting.has_job);
    CHECK(starting.active == "activating");
}

TEST_CASE("a unit of a template, and where its programs are") {
    auto const s = read("postgresql@15-main");
    CHECK(s.id == "postgresql@15-main.service");
    CHECK(s.user.empty());
    CHECK(s.pid_file == "/run/postgresql/15-main.pid");
    CHECK(s.control_group ==
          "/host/system.slice/system-postgresql.slice/postgresql@15-main.service");
    launch how;
    how.argv = s.argv;
    CHECK(places_in(how).value() == postgres_places{"/usr/lib/postgresql/15/bin", ""});
    how.argv = {"/usr/bin/pg_ctlcluster", "17", "main", "start"};
    CHECK(places_in(how).value() == postgres_places{"/usr/lib/postgresql/17/bin", ""});
}

TEST_CASE("a unit that does not exist or is masked runs nothing and can start nothing") {
    for (auto const* const name : {"no-such", "masked"}) {
        auto const s = read(name);
        CHECK_FALSE(s.exists());
        CHECK(s.at_rest());
        CHECK(s.main_pid == 0);
        CHECK(s.control_group.empty());
        CHECK(s.argv.empty());
    }
    CHECK(read("no-such").load == "not-found");
    CHECK(read("masked").load == "masked");
}

TEST_CASE("whoever starts a unit again when it ends is named") {
    CHECK(read("odd").restarted_by == "Restart=on-failure");
    auto const text = recorded("redis-server");
    auto const with = [&text](std::string const& name, std::string const& value) {
        auto changed = text;
        auto const at = changed.find("\n" + name + "=") + name.size() + 2;
        changed.replace(at, changed.find('\n', at) - at, value);
        return read_unit_state(changed)->restarted_by;
    };
    CHECK(with("RestartForceExitStatus", "7 KILL") == "RestartForceExitStatus=7 KILL");
    CHECK(with("TriggeredBy", "redis.socket") == "redis.socket");
    CHECK(with("UpheldBy", "stack.target") == "stack.target");
}

TEST_CASE("the environment is read through its quotes, and put into the words that name it") {
    auto const s = read("odd");
    CHECK(s.environment ==
          words{"PGDATA=/srv/data/", "WORDS=two words", "QUOTE=a\"b", "TAB=a\tb", "DOLLAR=a$b"});
    CHECK(expand(s.argv, s.environment) == words{"/bin/sleep", "/srv/data/", "1000"});
    CHECK(expand({"-D${PGDATA}x${NONE}", "${open", "$PGDATA"}, s.environment) ==
          words{"-D/srv/data/x", "${open", "$PGDATA"});
    CHECK(expand({"${A}"}, {"A=${A}"}) == words{"${A}"});
}

TEST_CASE("of several commands the first counts") {
    CHECK(read("two-commands").argv == words{"/bin/echo", "first"});
}

TEST_CASE("what is no service, or no answer of systemd, is told") {
    CHECK(read_unit_state(recorded("socket")).error().doing == "other.socket is no service");
    CHECK(read_unit_state(recorded("redis-server") + "\n" + recorded("socket")).error().code ==
          errc::bad_input);
    CHECK(read_unit_state("").error().code == errc::bad_answer);
    CHECK(read_unit_state("no equals sign\n").error().code == errc::bad_answer);
    auto broken = recorded("redis-server");
    broken.replace(broken.find("MainPID=598"), 11, "MainPID=soon");
    CHECK(read_unit_state(broken).error().doing == "systemctl show: MainPID is no number: 'soon'");
}

TEST_CASE("a unit's control group is found in each layout of the hierarchies") {
    auto const root = fs::temp_directory_path() / ("bevmesh-cgroups-" + std::to_string(::getpid()));
    std::string const group = "/system.slice/redis.service";
    auto const found_below = [&](std::string const& hierarchy) {
        fs::remove_all(root);
        fs::create_directories(root.string() + "/memory" + group);
        fs::create_directories(root.string() + hierarchy + group);
        std::ofstream(root.string() + hierarchy + group + "/cgroup.procs") << "7\n";
        return cgroup_directory(group, root.string()) == root.string() + hierarchy + group;
    };
    CHECK(found_below(""));
    CHECK(found_below("/unified"));
    CHECK(found_below("/systemd"));
    CHECK(cgroup_directory("/system.slice/other.service", root.string()).empty());
    CHECK(cgroup_directory("", root.string()).empty());
    fs::remove_all(root);
}

}  // namespace bevmesh::failover
