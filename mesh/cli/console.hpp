// Where a command writes and whom it may ask: the process's terminal, or a test's strings.
//
// Data goes to `out`, everything else to `err`. Colour and a page's width are a terminal's; a
// command that must ask asks only where somebody can answer.
#pragma once

#include <cstddef>
#include <iosfwd>

namespace bevmesh::cli {

struct console {
    std::ostream& out;
    std::ostream& err;
    std::istream& in;
    bool in_is_terminal = false;
    bool colour = false;    // a terminal that takes it, and nobody said NO_COLOR
    std::size_t width = 0;  // of the terminal that `out` is; 0: it is none
};

}  // namespace bevmesh::cli
