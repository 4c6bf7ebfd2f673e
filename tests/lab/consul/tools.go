//go:build tools

// Pins the Consul that the lab runs, with every dependency, by go.mod and go.sum: the same binary on
// every machine. `go build github.com/hashicorp/consul` in this folder makes it (tests/setup does).
package tools

import _ "github.com/hashicorp/consul"
