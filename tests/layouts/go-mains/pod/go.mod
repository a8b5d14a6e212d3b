module example.com/pod

go 1.25.0

toolchain go1.26.1

require github.com/prometheus/client_golang v1.23.0
