// The fuzzer's corpus without the fuzzer: each file as it is, and in some thousand mutations that
// are the same in every run.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "mesh/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/fuzz/config_target.hpp"

namespace bevmesh::config {
namespace {

std::vector<std::string> corpus() {
    std::vector<std::filesystem::path> paths;
    for (auto const& entry : std::filesystem::directory_iterator(BEVMESH_CORPUS))
        paths.push_back(entry.path());
    std::ranges::sort(paths);
    std::vector<std::string> texts;
    for (auto const& path : paths) {
        std::ifstream file(path, std::ios::binary);
        texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return texts;
}

// One change of the kinds that a slip of the hand, a bad disk or an attacker makes.
std::string mutated(std::string text, std::vector<std::string> const& others,
                    random_source& random) {
    static constexpr std::string_view telling = "{}[]:,-?&*!|>'\"%@`#\n\t \r\0\xff";
    if (text.empty()) return text;
    auto const at = random.below(text.size());
    auto const length = 1 + random.below(std::min<std::size_t>(text.size() - at, 40));
    switch (random.below(6)) {
        case 0:
            text[at] = static_cast<char>(random.below(256));
            break;
        case 1:
            text.insert(at, 1 + random.below(40), telling[random.below(telling.size())]);
            break;
        case 2:
            text.erase(at, length);
            break;
        case 3:
            text.insert(random.below(text.size()), text.substr(at, length));
            break;
        case 4:
            text.resize(at);
            break;
        default:
            text += others[random.below(others.size())].substr(0, at);
    }
    return text;
}

}  // namespace

TEST_CASE("the loader stands every file of the corpus, and mutations of it") {
    auto const texts = corpus();
    REQUIRE(texts.size() > 20);
    random_source random(1);
    for (auto const& text : texts) {
        check_loader(text);
        for (int i = 0; i < 200; ++i) {
            auto changed = mutated(text, texts, random);
            if (i % 2 == 0) changed = mutated(std::move(changed), texts, random);
            check_loader(changed);
        }
    }
}

}  // namespace bevmesh::config
