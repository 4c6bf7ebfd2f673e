#include "mesh/daemon/process_facts.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace bevmesh::daemon {
namespace {

/// Of /proc/stat: when the machine was started, Unix time.
double boot_seconds() {
    std::ifstream file("/proc/stat");
    std::string word;
    double value = 0;
    while (file >> word)
        if (word == "btime" && file >> value) return value;
    return 0;
}

}  // namespace

process_facts read_process_facts() {
    process_facts facts;
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    // The command's name is in parentheses and may have anything in it (proc(5)).
    auto const after_name = line.rfind(')');
    if (after_name != std::string::npos) {
        std::istringstream rest(line.substr(after_name + 1));
        std::istream_iterator<std::string> const begin(rest);
        std::vector<std::string> const fields(begin, {});
        // proc(5) counts from 1, and `state`, its third, is our first.
        auto const field = [&](std::size_t number) {
            return fields.size() > number - 3 ? std::strtod(fields[number - 3].c_str(), nullptr)
                                              : 0;
        };
        auto const ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        facts.cpu_seconds = (field(14) + field(15)) / ticks;
        facts.start_seconds = boot_seconds() + field(22) / ticks;
        facts.virtual_bytes = field(23);
        facts.resident_bytes = field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    }
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
         at.increment(error))
        ++facts.open_fds;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
        facts.max_fds = static_cast<double>(limit.rlim_cur);
    return facts;
}

}  // namespace bevmesh::daemon
