#include "failover/guard/protocol.hpp"

#include <cstring>
#include <type_traits>

namespace bevmesh::failover::guard {
namespace {

static_assert(std::is_trivially_copyable_v<request> && std::is_trivially_copyable_v<answer>);

template <class Message>
std::span<char const> cut(Message const& m, std::size_t blob) noexcept {
    auto const* const bytes = reinterpret_cast<char const*>(&m);
    return {bytes, offsetof(Message, blob) + blob};
}

template <class Message>
bool read_fixed(std::span<char const> bytes, Message& into) noexcept {
    auto constexpr fixed = offsetof(Message, blob);
    if (bytes.size() < fixed || bytes.size() > sizeof(Message)) return false;
    into = Message();
    std::memcpy(static_cast<void*>(&into), bytes.data(), bytes.size());
    return into.magic == magic && into.version == version;
}

bool terminated(auto const& field) noexcept {
    return field.back() == '\0';
}

}  // namespace

std::span<char const> wire(request const& r) noexcept {
    return cut(r, r.blob_size == keep_blob ? 0 : r.blob_size);
}

std::span<char const> wire(answer const& a) noexcept {
    return cut(a, a.blob_size);
}

bool read(std::span<char const> bytes, request& into) noexcept {
    if (!read_fixed(bytes, into)) return false;
    auto const blob = into.blob_size == keep_blob ? 0 : into.blob_size;
    return into.what <= verb::status && terminated(into.victim.cgroup) && blob <= blob_size_max &&
           bytes.size() == offsetof(request, blob) + blob;
}

bool read(std::span<char const> bytes, answer& into) noexcept {
    if (!read_fixed(bytes, into)) return false;
    return into.said <= verdict::no_watchdog && into.phase <= phase::dead &&
           into.cause <= death::by_itself && terminated(into.victim.cgroup) &&
           terminated(into.guard_id) && terminated(into.group) && into.blob_size <= blob_size_max &&
           bytes.size() == offsetof(answer, blob) + into.blob_size;
}

std::string_view text(verdict v) noexcept {
    switch (v) {
        case verdict::done:
            return "done";
        case verdict::bad_message:
            return "the message is not of this guard's protocol";
        case verdict::not_the_daemon:
            return "a newer daemon has taken over";
        case verdict::not_armed:
            return "it holds no process";
        case verdict::already_dead:
            return "the process that it holds has died";
        case verdict::too_late:
            return "the deadline is past and the process is being killed";
        case verdict::out_of_range:
            return "the deadline is past, or too far away";
        case verdict::other_victim:
            return "it holds another process that lives";
        case verdict::no_such_process:
            return "the process is gone, or its pid belongs to another by now";
        case verdict::not_whole:
            return "the process is no container's init, and no cgroup was named";
        case verdict::forbidden_victim:
            return "killing it would kill the guard, the daemon or the host's init";
        case verdict::no_such_cgroup:
            return "the process is not in that cgroup";
        case verdict::no_watchdog:
            return "the kernel's watchdog cannot be started";
    }
    return "an unknown verdict";
}

std::string_view text(phase p) noexcept {
    switch (p) {
        case phase::idle:
            return "idle";
        case phase::armed:
            return "armed";
        case phase::killing:
            return "killing";
        case phase::dead:
            return "dead";
    }
    return "unknown";
}

std::string_view text(death d) noexcept {
    switch (d) {
        case death::none:
            return "none";
        case death::deadline:
            return "deadline";
        case death::asked:
            return "asked";
        case death::by_itself:
            return "by itself";
    }
    return "unknown";
}

}  // namespace bevmesh::failover::guard
