// The families of one exposition, while it is put together. For mesh/daemon's metrics alone: it
// brings prometheus-cpp's headers.
#pragma once

#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/text_serializer.h>

#include "mesh/base/time.hpp"
#include "registrar/driver.hpp"

namespace bevmesh::daemon {

using metric_label = prometheus::ClientMetric::Label;

/// Families in the order in which they were begun, each begun once.
class families {
public:
    families& gauge(std::string name, std::string help) {
        return begin(std::move(name), std::move(help), prometheus::MetricType::Gauge);
    }
    /// `name` ends in _total.
    families& counter(std::string name, std::string help) {
        return begin(std::move(name), std::move(help), prometheus::MetricType::Counter);
    }
    families& histogram(std::string name, std::string help) {
        return begin(std::move(name), std::move(help), prometheus::MetricType::Histogram);
    }
    families& add(registrar::latency_counts const& seen) {
        prometheus::ClientMetric m;
        std::size_t at = 0;
        for (auto const n : seen.counts) {
            m.histogram.sample_count += n;
            bool const last = at == registrar::latency_counts::bounds.size();
            m.histogram.bucket.push_back(
                {m.histogram.sample_count, last ? std::numeric_limits<double>::infinity()
                                                : registrar::latency_counts::bounds.at(at)});
            ++at;
        }
        m.histogram.sample_sum = seen.sum;
        all_.back().metric.push_back(std::move(m));
        return *this;
    }
    families& add(double value, std::vector<metric_label> labels = {}) {
        prometheus::ClientMetric m;
        m.label = std::move(labels);
        if (all_.back().type == prometheus::MetricType::Counter)
            m.counter.value = value;
        else
            m.gauge.value = value;
        all_.back().metric.push_back(std::move(m));
        return *this;
    }
    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, all_);
        return std::move(out).str();
    }

private:
    families& begin(std::string name, std::string help, prometheus::MetricType type) {
        all_.push_back({std::move(name), std::move(help), type, {}});
        return *this;
    }
    std::vector<prometheus::MetricFamily> all_;
};

inline double number(bool yes) {
    return yes ? 1 : 0;
}
inline double number(std::uint64_t n) {
    return static_cast<double>(n);
}
inline double in_seconds(nanoseconds d) {
    return std::chrono::duration<double>(d).count();
}

}  // namespace bevmesh::daemon
