// The one place that knows which Catch2 it is (Debian 12 has version 2).
#pragma once

#include <catch2/catch.hpp>
