#include "registrar/scan/scan.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace bevmesh::registrar::scan {
namespace {

constexpr auto none = std::string_view::npos;
constexpr std::size_t longest_command = 4096;

struct port_fact {
    std::uint16_t port = 0;
    std::string key;
};

/// "6379", "${REDIS_PORT:-6379}".
std::optional<std::uint16_t> port_value(std::string_view text) {
    if (text.starts_with("${") && text.ends_with('}')) {
        auto const standard = text.find(":-");
        if (standard == none) return std::nullopt;
        text = text.substr(standard + 2, text.size() - standard - 3);
    }
    return parse_port(text);
}

/// Programs whose arguments are of one service.
bool is_client(std::string_view word) {
    return word == "psql" || word == "influx" || word == "vault" || word == "nats" ||
           word.starts_with("pg_") || word.starts_with("redis-") || word.starts_with("kafka-") ||
           word.starts_with("rabbitmq") || word.starts_with("cypher-") ||
           word.starts_with("mongo") || word.starts_with("mysql") || word == "createdb" ||
           word == "zkCli.sh";
}

class text_scan {
public:
    text_scan(kind k, std::string_view text, inventory const& mesh)
        : kind_(k), text_(text), mesh_(mesh), names_(mesh.node_names()), values_(read(k, text)) {}

    std::vector<finding> run() {
        name_pairs();
        gather_ports();
        for (auto const& v : values_)
            scan_value(v);
        std::ranges::sort(found_, {}, &finding::begin);
        auto const again = std::ranges::unique(found_, {}, &finding::begin);
        found_.erase(again.begin(), again.end());
        place();
        return std::move(found_);
    }

private:
    /// {name: REDIS_HOST, value: ...}, as Kubernetes has it, is REDIS_HOST: ....
    void name_pairs() {
        std::map<std::size_t, std::string> names;
        for (auto const& v : values_)
            if (!v.path.empty() && v.path.back() == "name") names[v.group] = v.text.text();
        for (auto& v : values_) {
            auto const found = names.find(v.group);
            if (v.path.size() < 2 || v.path.back() != "value" || found == names.end()) continue;
            v.path.back() = found->second;
            std::string list;
            for (std::size_t i = 0; i + 1 < v.path.size(); ++i)
                list += v.path[i] + '\n';
            // No number that a reader gives reaches that half.
            v.group = std::hash<std::string>()(list) | (std::size_t{1} << 63U);
        }
    }

    void gather_ports() {
        for (auto const& v : values_) {
            if (v.path.empty() || v.text.text().size() > 64) continue;
            auto const key = words_of(v.path.back());
            if (!has_word(key, "port")) continue;
            if (auto const port = port_value(v.text.text()))
                ports_[{v.group, subject_of(key)}].emplace(v.text.source(0),
                                                           port_fact{*port, v.path.back()});
        }
    }

    void scan_value(value const& v) {
        auto const text = v.text.text();
        if (!may_mention(text, names_)) return;
        auto const mentions = find_mentions(text, names_);
        for (auto const& m : mentions) {
            reference ref{m, kind_, "", v.path, {}, m.port, ""};
            describe(v, ref);
            if (m.name && !stands_for_node(ref)) continue;
            if (!ref.port && mentions.size() == 1 && text.find(' ') != none && m.scheme.empty()) {
                ref.port = port_in(text);
                if (ref.port) ref.port_key = "the same line";
            }
            if (!ref.port && m.scheme.empty()) pair_port(v, ref);
            add(v, ref);
        }
    }

    void describe(value const& v, reference& ref) const {
        auto const& m = ref.what;
        ref.key = !m.key.empty()              ? m.key
                  : m.option.starts_with('-') ? m.option
                  : v.path.empty()            ? m.option
                                              : v.path.back();
        if (!m.scheme.empty()) ref.hints.push_back({m.scheme.substr(0, m.scheme.find('+'))});
        ref.hints.push_back(words_of(ref.key));
        add_command(v, ref);
        for (auto i = v.path.size(); i-- > 0;) {
            // What a Compose file calls its own services says who asks, not who is asked.
            if (kind_ == kind::compose && i == 1 && v.path[0] == "services") break;
            ref.hints.push_back(words_of(v.path[i]));
        }
    }

    static void add_command(value const& v, reference& ref) {
        auto const near = ref.what.begin - std::min(ref.what.begin, longest_command);
        auto const before = v.text.text().substr(near, ref.what.begin - near);
        for (std::size_t at = 0; at < before.size();) {
            auto end = at;
            while (end < before.size() && is_word(before[end]))
                ++end;
            auto const word = before.substr(at, end - at);
            if (is_client(word)) ref.hints.push_back(words_of(word));
            at = end + 1;
        }
    }

    /// A node's name is a common word elsewhere: it needs a port, or a scheme, or a host's key.
    [[nodiscard]] bool stands_for_node(reference const& ref) const {
        return ref.what.port || !ref.what.scheme.empty() ||
               (names_host(words_of(ref.key)) && !has_word(words_of(ref.key), "name"));
    }

    void pair_port(value const& v, reference& ref) const {
        auto const key = words_of(ref.key);
        if (key.empty()) return;
        auto const subject = subject_of(key);
        auto const found = ports_.find({v.group, subject});
        if (found == ports_.end()) return;
        auto const here = v.text.source(0);
        auto const after = found->second.lower_bound(here);
        auto nearest = after;
        if (after == found->second.end() || (after != found->second.begin() &&
                                             here - std::prev(after)->first < after->first - here))
            nearest = std::prev(after);
        ref.port = nearest->second.port;
        ref.port_key = nearest->second.key;
    }

    void add(value const& v, reference const& ref) {
        auto const& m = ref.what;
        auto const text = v.text.text();
        finding one;
        one.begin = v.text.source(m.begin);
        one.end = v.text.source(m.end - 1) + 1;
        // A host behind escapes stands in other bytes than it reads: nothing could be replaced.
        if (one.end > text_.size() ||
            text_.substr(one.begin, one.end - one.begin) != text.substr(m.begin, m.end - m.begin))
            return;
        one.found = text.substr(m.begin, m.port_end - m.begin);
        one.host = m.host;
        one.port = ref.port;
        one.key = ref.key;
        bool const known = !mesh_.node_of(m.host).empty() || !mesh_.at(m.host).empty();
        if (auto const why = exempt(ref, known)) {
            one.left = true;
            one.say = why->say;
            one.is.reason = why->reason;
        } else {
            one.is = identify(ref, mesh_);
            if (m.name && one.is.service.empty()) return;  // a word that is also a node's name
        }
        found_.push_back(std::move(one));
    }

    void place() {
        std::size_t line = 1, start = 0, at = 0;
        for (auto& f : found_) {
            for (; at < f.begin; ++at) {
                if (text_[at] != '\n') continue;
                ++line;
                start = at + 1;
            }
            f.line = line;
            f.column = f.begin - start + 1;
        }
    }

    kind kind_;
    std::string_view text_;
    inventory const& mesh_;
    std::vector<std::string> names_;
    std::vector<value> values_;
    /// By group and subject, by their place in the file.
    std::map<std::pair<std::size_t, words>, std::map<std::size_t, port_fact>> ports_;
    std::vector<finding> found_;
};

}  // namespace

std::vector<finding> scan_text(kind k, std::string_view text, inventory const& mesh) {
    if (!may_mention(text, mesh.node_names())) return {};
    return text_scan(k, text, mesh).run();
}

}  // namespace bevmesh::registrar::scan
