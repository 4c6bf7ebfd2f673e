// How right the scan is about the corpus: printed, and held to what it has to reach.
#include <cstdio>
#include <map>
#include <utility>

#include "tests/catch.hpp"
#include "tests/scan/corpus.hpp"

namespace bevmesh::registrar::scan {
namespace {

struct score {
    std::size_t labels = 0, positive = 0;
    std::size_t found = 0;  // said to be addresses of somebody
    std::size_t true_found = 0;
    std::size_t right = 0;     // of those the service, or that it is unknown
    std::size_t misnamed = 0;  // a name that is another's: the worst

    [[nodiscard]] double precision() const { return ratio(true_found, found); }
    [[nodiscard]] double recall() const { return ratio(true_found, positive); }
    [[nodiscard]] double right_service() const { return ratio(right, true_found); }

private:
    static double ratio(std::size_t a, std::size_t b) {
        return b == 0 ? 1.0 : static_cast<double>(a) / static_cast<double>(b);
    }
};

void tell(corpus_file const& file, std::size_t line, std::string const& token,
          std::string const& what) {
    std::printf("   %s:%zu: %s: %s\n", file.path.c_str(), line, token.c_str(), what.c_str());
}

void judge(corpus_file const& file, score& s) {
    std::map<std::pair<std::size_t, std::size_t>, label const*> labels;
    for (auto const& l : file.labels) {
        labels[{l.line, l.column}] = &l;
        ++s.labels;
        if (l.want != "leave") ++s.positive;
    }
    for (auto const& f : scan_text(file.is, file.text, corpus_mesh())) {
        if (f.left) continue;
        ++s.found;
        auto const at = labels.find({f.line, f.column});
        auto const is = f.is.service.empty() ? std::string("unknown") : f.is.service;
        if (at == labels.end() || at->second->want == "leave") {
            tell(file, f.line, f.found, "taken for " + is + ", to be left alone");
            continue;
        }
        ++s.true_found;
        auto const want = at->second->want;
        labels.erase(at);
        if (is == want) {
            ++s.right;
            continue;
        }
        if (is != "unknown") ++s.misnamed;
        tell(file, f.line, f.found, is + " instead of " + want + ": " + f.is.reason);
    }
    for (auto const& [_, l] : labels)
        if (l->want != "leave") tell(file, l->line, l->token, "not found, is " + l->want);
}

score judge(std::string const& part) {
    score s;
    auto const files = load_corpus(part);
    for (auto const& file : files)
        judge(file, s);
    std::printf(
        "%s: %zu files, %zu labelled tokens (%zu to find): precision %.3f, recall %.3f, "
        "right service %.3f, wrong names %zu\n",
        part.c_str(), files.size(), s.labels, s.positive, s.precision(), s.recall(),
        s.right_service(), s.misnamed);
    return s;
}

void reaches(score const& s) {
    CHECK(s.precision() >= 0.97);
    CHECK(s.recall() >= 0.97);
    CHECK(s.right_service() >= 0.95);
    CHECK(s.misnamed == 0);
}

}  // namespace

TEST_CASE("the corpus has at least 300 labelled tokens, and the scan is right about them") {
    auto const tuned = judge("tuned");
    auto const held_out = judge("held-out");
    CHECK(tuned.labels + held_out.labels >= 300);
    reaches(tuned);
    reaches(held_out);
}

}  // namespace bevmesh::registrar::scan
