// One certificate's renewal on the table: a fake Vault, disk, service and two clocks.
//
// Everything is answered at once and well, unless it was told otherwise. What was done is noted as
// lines, with the minutes since the beginning.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "certs/renewal.hpp"

namespace bevmesh::test {

using std::chrono::hours;
using std::chrono::minutes;

class table {
public:
    table();

    void give(certs::renewal_event e);
    /// Ticks come when they are due.
    void advance(seconds by);
    /// The daemon is killed: of its state is left what is kept. An operation under way is lost.
    void restart();
    /// Sets the wall clock.
    void jump(seconds by) { wall_ += by; }

    /// What was done since the last call.
    [[nodiscard]] std::vector<std::string> done();
    [[nodiscard]] certs::moment now() const { return {steady_, wall_}; }

    certs::renewal_policy policy;
    certs::renewal_state state;
    seconds ttl = hours(24);
    unsigned signs = 0;        // requests that Vault saw
    unsigned shown = 0;        // the generation that the service shows
    unsigned in_use = 0;       // the generation of the files in use
    std::string bundle = "";   // what Vault has; of no bundle is anything known while it is empty
    std::string crl = "";      // the hash of the CRLs that are beside a new generation
    bool reload_works = true;  // the service takes the files that are in use
    std::map<certs::operation, certs::failed> fails;
    /// The daemon dies in this operation: nobody hears how it went.
    certs::operation dies_in = certs::operation::none;
    bool dies_after = false;  // after its effect

private:
    void perform(certs::perform const& a);

    std::vector<certs::renewal_event> waiting_;
    std::vector<std::string> lines_;
    random_source random_{1};
    instant steady_{seconds(1'000)};
    instant wake_{};
    certs::wall_time begin_{};
    certs::wall_time wall_{};
};

using lines = std::vector<std::string>;

/// A service with its first certificate, proven.
[[nodiscard]] table settled();
/// Without what is told.
[[nodiscard]] lines deeds(lines all);
/// How many of them have it in them.
[[nodiscard]] std::size_t count(lines const& all, std::string const& part);
[[nodiscard]] certs::failed local(std::string why);

}  // namespace bevmesh::test
