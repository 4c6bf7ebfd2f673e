#include "registrar/labels.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

struct outcome {
    own_labels labels;
    std::vector<note> notes;
};

outcome read(std::map<std::string, std::string> const& labels) {
    outcome r;
    r.labels = read_labels(labels, "web-1", r.notes);
    return r;
}

}  // namespace

TEST_CASE("all labels of bevmesh") {
    auto const r = read({{"bevmesh.enable", "true"},
                         {"bevmesh.name", "web"},
                         {"bevmesh.port", "80"},
                         {"bevmesh.53/udp.name", "dns"},
                         {"bevmesh.tags", R"(a, b ,c\,d,)"},
                         {"bevmesh.meta.team", "x"},
                         {"bevmesh.network", "front"},
                         {"bevmesh.address", "[2001:db8::1]"},
                         {"bevmesh.address_mode", "container"},
                         {"bevmesh.health", "ignore"},
                         {"bevmesh.check.1.http", "/health"},
                         {"bevmesh.check.1.interval", "5s"},
                         {"bevmesh.8081.check.a.tcp", "true"},
                         {"com.example.other", "x"},
                         {"bevmeshx", "y"}});
    CHECK(r.notes.empty());
    CHECK(r.labels.enable == true);
    CHECK(r.labels.name == "web");
    CHECK(r.labels.port == port_label{80, ""});
    CHECK(r.labels.port_names.at({53, "udp"}) == "dns");
    CHECK(r.labels.tags == std::vector<std::string>{"a", "b", "c,d"});
    CHECK(r.labels.meta.at("team") == "x");
    CHECK(r.labels.network == "front");
    CHECK(r.labels.address == "2001:db8::1");
    CHECK(r.labels.mode == address_mode::container);
    CHECK(r.labels.mirror_health == false);
    REQUIRE(r.labels.checks.at({}).size() == 1);
    CHECK(r.labels.checks.at({})[0].path == "/health");
    CHECK(r.labels.checks.at({})[0].interval == milliseconds{5000});
    CHECK(r.labels.checks.at({8081, ""})[0].kind == check_kind::tcp);
    CHECK(r.labels.name_services());
}

TEST_CASE("a label that is not understood is a note with what was expected, and nothing else") {
    struct row {
        std::string label, value, expected;
    };
    for (auto const& r : std::vector<row>{
             {"bevmesh.enable", "maybe", "true or false"},
             {"bevmesh.port", "0", "a port"},
             {"bevmesh.port", "65536", "a port"},
             {"bevmesh.port", "abc", "a port"},
             {"bevmesh.port", "-1", "a port"},
             {"bevmesh.port", "80/icmp", "a port"},
             {"bevmesh.port", "", "a port"},
             {"bevmesh.address_mode", "both", "host, container or auto"},
             {"bevmesh.address", "a b", "an IP address"},
             {"bevmesh.address", "0.0.0.0", "an IP address"},
             {"bevmesh.network", "", "the name of a network"},
             {"bevmesh.health", "gate", "mirror or ignore"},
             {"bevmesh.nme", "web", "enable, name"},
             {"bevmesh.", "x", "enable, name"},
             {"bevmesh.0.name", "x", "enable, name"},
             {"bevmesh.65536.name", "x", "enable, name"},
             {"bevmesh.80.nme", "x", "PORT.name"},
             {"bevmesh.name", "", "a name"},
             {"bevmesh.80.name", "___", "a name"},
             {"bevmesh.check.1", "x", "check.N"},
             {"bevmesh.check..http", "x", "check.N"},
             {"bevmesh.check.1.", "x", "check.N"},
             {"bevmesh.check.1.http", "", "a value"},
         }) {
        CAPTURE(r.label, r.value);
        auto const found = read({{r.label, r.value}});
        REQUIRE(found.notes.size() == 1);
        CHECK(found.notes[0].code == "bad-label");
        CHECK(found.notes[0].text.find(r.label) != std::string::npos);
        CHECK(found.notes[0].text.find(r.expected) != std::string::npos);
        CHECK(found.labels == own_labels{});
    }
}

TEST_CASE("a check without a kind is told by its number") {
    auto const r = read({{"bevmesh.check.1.interval", "5s"}});
    REQUIRE(r.notes.size() == 1);
    CHECK(r.notes[0].text.find("bevmesh.check.1=") != std::string::npos);
    CHECK(r.notes[0].text.find("expected a kind") != std::string::npos);
    CHECK(r.labels == own_labels{});
}

TEST_CASE("a name that DNS does not allow is used as near as possible, with a note") {
    auto const r = read({{"bevmesh.name", "My_Web"}});
    CHECK(r.labels.name == "my-web");
    CHECK(test::has_note(r.notes, "bad-label"));
}

TEST_CASE("labels that only refine do not make a service") {
    CHECK_FALSE(
        read({{"bevmesh.tags", "a"}, {"bevmesh.check.1.tcp", "true"}}).labels.name_services());
    CHECK_FALSE(read({{"bevmesh.enable", "false"}}).labels.name_services());
    CHECK(read({{"bevmesh.enable", "yes"}}).labels.name_services());
    CHECK(read({{"bevmesh.80.name", "web"}}).labels.name_services());
}

TEST_CASE("notes show no header, body or password") {
    for (auto const* key : {"header", "header.Bad Name", "password_file"}) {
        auto const r = read(
            {{"bevmesh.check.1.http", "/"}, {"bevmesh.check.1." + std::string(key), "s3cret"}});
        for (auto const& n : r.notes)
            CHECK(n.text.find("s3cret") == std::string::npos);
    }
}
