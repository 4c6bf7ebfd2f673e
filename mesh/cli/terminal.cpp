#include "mesh/cli/terminal.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mesh/cli/exit_status.hpp"

namespace bevmesh::cli {

bool wants_colour(bool is_terminal, char const* no_color, char const* term) noexcept {
    if (!is_terminal || (no_color != nullptr && *no_color != '\0')) return false;
    return term != nullptr && *term != '\0' && std::strcmp(term, "dumb") != 0;
}

console process_console(std::ostream& data) {
    bool const is_terminal = ::isatty(STDOUT_FILENO) == 1;
    winsize size{};
    if (is_terminal) ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return {.out = data,
            .err = std::cerr,
            .in = std::cin,
            .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
            .colour = wants_colour(is_terminal, std::getenv("NO_COLOR"), std::getenv("TERM")),
            .width = size.ws_col};
}

int write_data(std::string_view data, int status) {
    while (!data.empty()) {
        auto const written = ::write(STDOUT_FILENO, data.data(), data.size());
        if (written >= 0) {
            data.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EPIPE) {
            return status;
        } else if (errno != EINTR) {
            std::cerr << "bevmesh: cannot write the output: " << std::strerror(errno) << "\n";
            return static_cast<int>(exit_status::local_error);
        }
    }
    return status;
}

}  // namespace bevmesh::cli
