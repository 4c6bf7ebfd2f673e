#include "mesh/postgres/library.hpp"

#include <dlfcn.h>
#include <optional>

namespace bevmesh::postgres {
namespace {

/// The ABI that the header belongs to.
constexpr char const* soname = "libpq.so.5";

class loader {
public:
    explicit loader(void* handle) : handle_(handle) {}

    template <class Function>
    void find(Function*& into, char const* name) {
        into = reinterpret_cast<Function*>(::dlsym(handle_, name));
        if (into == nullptr && missing_.empty()) missing_ = name;
    }
    [[nodiscard]] std::string const& missing() const { return missing_; }

private:
    void* handle_;
    std::string missing_;
};

}  // namespace

result<library const*> load_library() {
    static std::optional<library> loaded;
    if (loaded) return &*loaded;
    auto* const handle = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
        return failure{errc::local_error, std::string("load libpq: ") + ::dlerror() +
                                              "; Debian has it in the package libpq5"};
    loader from(handle);
    library l{};
    from.find(l.PQbackendPID, "PQbackendPID");
    from.find(l.PQclear, "PQclear");
    from.find(l.PQconnectPoll, "PQconnectPoll");
    from.find(l.PQconnectStartParams, "PQconnectStartParams");
    from.find(l.PQconnectionNeedsPassword, "PQconnectionNeedsPassword");
    from.find(l.PQconsumeInput, "PQconsumeInput");
    from.find(l.PQerrorMessage, "PQerrorMessage");
    from.find(l.PQfinish, "PQfinish");
    from.find(l.PQflush, "PQflush");
    from.find(l.PQgetResult, "PQgetResult");
    from.find(l.PQgetisnull, "PQgetisnull");
    from.find(l.PQgetlength, "PQgetlength");
    from.find(l.PQgetvalue, "PQgetvalue");
    from.find(l.PQisBusy, "PQisBusy");
    from.find(l.PQnfields, "PQnfields");
    from.find(l.PQntuples, "PQntuples");
    from.find(l.PQprotocolVersion, "PQprotocolVersion");
    from.find(l.PQresultErrorField, "PQresultErrorField");
    from.find(l.PQresultErrorMessage, "PQresultErrorMessage");
    from.find(l.PQresultStatus, "PQresultStatus");
    from.find(l.PQsendQueryParams, "PQsendQueryParams");
    from.find(l.PQsetNoticeReceiver, "PQsetNoticeReceiver");
    from.find(l.PQsetnonblocking, "PQsetnonblocking");
    from.find(l.PQsocket, "PQsocket");
    from.find(l.PQstatus, "PQstatus");
    if (!from.missing().empty())
        return failure{errc::local_error,
                       std::string(soname) + " has no " + from.missing() + ": it is too old"};
    loaded = l;
    return &*loaded;
}

}  // namespace bevmesh::postgres
