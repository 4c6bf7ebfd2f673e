#include "failover/guard/state_file.hpp"

#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>

namespace bevmesh::failover::guard {
namespace {

struct slot {
    std::uint64_t sequence = 0;
    saved_state state;
    std::uint64_t checksum = 0;
};

/// FNV-1a. Against a torn store, not against a forger: the file is root's alone.
std::uint64_t checksum(slot const& s) noexcept {
    auto const* const bytes = reinterpret_cast<unsigned char const*>(&s);
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325U;
    for (std::size_t i = 0; i < offsetof(slot, checksum); ++i)
        hash = (hash ^ bytes[i]) * 0x0000'0100'0000'01b3U;
    return hash;
}

std::array<char, 40> this_boot() noexcept {
    std::array<char, 40> id{};
    descriptor const file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    if (!file || ::read(file.get(), id.data(), id.size() - 1) < 36) id.fill('\0');
    id[36] = '\0';
    return id;
}

failure trouble(std::string const& path, char const* what) {
    return {errc::local_error, std::string(what) + " " + path + ": " + std::strerror(errno)};
}

}  // namespace

struct state_file::layout {
    std::uint32_t magic = guard::magic;
    std::uint32_t version = guard::version;
    std::array<char, 40> boot{};
    std::array<slot, 2> slots;

    [[nodiscard]] slot const* newest() const noexcept {
        slot const* best = nullptr;
        for (auto const& one : slots) {
            if (one.sequence == 0 || one.checksum != guard::checksum(one)) continue;
            if (best == nullptr || one.sequence > best->sequence) best = &one;
        }
        return best;
    }
    [[nodiscard]] bool usable() const noexcept {
        return magic == guard::magic && version == guard::version && boot == this_boot();
    }
};

state_file::state_file(state_file&& other) noexcept
    : file_(std::move(other.file_)), mapped_(std::exchange(other.mapped_, nullptr)) {}

state_file& state_file::operator=(state_file&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(mapped_, other.mapped_);
    return *this;
}

state_file::~state_file() {
    if (mapped_ != nullptr) ::munmap(mapped_, sizeof(layout));
}

result<state_file> state_file::open(std::string const& path) {
    static_assert(std::is_trivially_copyable_v<slot>);
    state_file made;
    made.file_ = descriptor(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!made.file_) return trouble(path, "open");
    if (::flock(made.file_.get(), LOCK_EX | LOCK_NB) != 0)
        return failure{errc::conflict, "lock " + path + ": another guard of this group runs"};
    if (::ftruncate(made.file_.get(), sizeof(layout)) != 0) return trouble(path, "size");
    void* const at = ::mmap(nullptr, sizeof(layout), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_POPULATE, made.file_.get(), 0);
    if (at == MAP_FAILED) return trouble(path, "map");
    made.mapped_ = static_cast<layout*>(at);
    if (!made.mapped_->usable()) {
        *made.mapped_ = layout();
        made.mapped_->boot = this_boot();
    }
    return made;
}

result<saved_state> state_file::look(std::string const& path) {
    descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT)
        return failure{errc::not_found, "open " + path + ": no such file"};
    if (!file) return trouble(path, "open");
    layout whole;
    auto const n = ::pread(file.get(), static_cast<void*>(&whole), sizeof whole, 0);
    if (n < 0) return trouble(path, "read");
    auto const* const best =
        n == static_cast<ssize_t>(sizeof whole) && whole.usable() ? whole.newest() : nullptr;
    if (best == nullptr)
        return failure{errc::not_found, "read " + path + ": no state of this boot"};
    return best->state;
}

std::optional<saved_state> state_file::load() const noexcept {
    auto const* const best = mapped_->newest();
    if (best == nullptr) return std::nullopt;
    return best->state;
}

void state_file::save(saved_state const& state) noexcept {
    auto const* const best = mapped_->newest();
    auto const sequence = best == nullptr ? 1 : best->sequence + 1;
    auto& into = mapped_->slots[sequence % 2];
    into.checksum = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    into.sequence = sequence;
    into.state = state;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    into.checksum = guard::checksum(into);
}

}  // namespace bevmesh::failover::guard
