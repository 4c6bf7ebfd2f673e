#include "failover/driver/journal.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::failover {
namespace {

constexpr long longest_file = 1L << 20;

std::string utc() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    std::array<char, 64> day{};
    ::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%s.%03ldZ", day.data(), now.tv_nsec / 1'000'000);
    return text.data();
}

}  // namespace

std::string_view name(weight w) noexcept {
    switch (w) {
        case weight::info:
            return "info";
        case weight::warning:
            return "warning";
        case weight::alarm:
            return "alarm";
    }
    return "?";
}

weight weight_named(std::string_view text) noexcept {
    if (text == "alarm") return weight::alarm;
    return text == "warning" ? weight::warning : weight::info;
}

journal::journal(std::string group, std::string path)
    : group_(std::move(group)), path_(std::move(path)) {
    if (!path_.empty()) load();
}

void journal::load() {
    std::ifstream file(path_);
    std::string line;
    while (std::getline(file, line)) {
        auto const read = json::decode(line, "the journal", [](json::value const& v) {
            return journal_entry{json::text(v, "at"), weight_named(json::text(v, "weight")),
                                 json::text(v, "text")};
        });
        // A line that a crash cut off.
        if (!read) continue;
        recent_.push_back(*read);
        if (recent_.size() > kept) recent_.pop_front();
    }
}

void journal::note(weight how, std::string const& text) {
    journal_entry e{utc(), how, text};
    if (how == weight::alarm)
        log_.error(text, {{"group", group_}});
    else if (how == weight::warning)
        log_.warning(text, {{"group", group_}});
    else
        log_.info(text, {{"group", group_}});
    if (!path_.empty()) append(e);
    if (listener_) listener_(e);
    recent_.push_back(std::move(e));
    if (recent_.size() > kept) recent_.pop_front();
}

void journal::append(journal_entry const& e) {
    auto const line = json::dump({{"at", e.at}, {"weight", name(e.how)}, {"text", e.text}}) + "\n";
    int const fd =
        ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written = false;
    if (fd >= 0) {
        struct stat about{};
        // Room is made by forgetting: what is in memory is written anew.
        if (::fstat(fd, &about) == 0 && about.st_size > longest_file && ::ftruncate(fd, 0) == 0) {
            for (auto const& old : recent_) {
                auto const again =
                    json::dump({{"at", old.at}, {"weight", name(old.how)}, {"text", old.text}}) +
                    "\n";
                (void)!::write(fd, again.data(), again.size());
            }
        }
        written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
        ::close(fd);
    }
    if (written || complained_) return;
    complained_ = true;
    log_.warning("the failover journal cannot be written", {{"file", path_}});
}

}  // namespace bevmesh::failover
