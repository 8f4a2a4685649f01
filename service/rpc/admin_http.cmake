# The admin port: a library of its own, since it needs neither gRPC nor protos.
credcache_library(admin_http
  SOURCES admin_http.cc admin_pages.cc
  PUBLIC credcache_base absl::statusor prometheus-cpp::core
  PRIVATE absl::strings absl::synchronization civetweb::civetweb)
