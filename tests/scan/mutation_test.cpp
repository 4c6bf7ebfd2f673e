// The corpus as it is, and in mutations that are the same in every run: whatever the bytes, a
// finding is where it says, and an edit keeps the lines.
#include "mesh/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/fuzz/scan_target.hpp"
#include "tests/scan/corpus.hpp"

namespace bevmesh::registrar::scan {
namespace {

std::string mutated(std::string text, random_source& random) {
    static constexpr std::string_view telling = "{}[]:,-?&*!|>'\"%@`#\n\t \r\0\xff$\\/=.";
    if (text.empty()) return text;
    auto const at = random.below(text.size());
    auto const length = 1 + random.below(std::min<std::size_t>(text.size() - at, 40));
    switch (random.below(5)) {
        case 0:
            text[at] = static_cast<char>(random.below(256));
            break;
        case 1:
            text.insert(at, 1 + random.below(4), telling[random.below(telling.size())]);
            break;
        case 2:
            text.erase(at, length);
            break;
        case 3:
            text.insert(random.below(text.size()), text.substr(at, length));
            break;
        default:
            text.resize(at);
    }
    return text;
}

}  // namespace

TEST_CASE("a scan stands every file of the corpus in every format, and mutations of it") {
    random_source random(1);
    for (auto const* part : {"tuned", "held-out"}) {
        for (auto const& file : load_corpus(part)) {
            for (int k = 0; k < 10; ++k)
                check_scan(static_cast<kind>(k), file.text);
            for (int i = 0; i < 60; ++i) {
                auto changed = mutated(file.text, random);
                if (i % 2 == 0) changed = mutated(std::move(changed), random);
                check_scan(file.is, changed);
            }
        }
    }
}

}  // namespace bevmesh::registrar::scan
